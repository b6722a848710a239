import type { Writable } from "node:stream";
import type { BlockExport } from "./block-export.ts";
import {
  encodeNbdOptionReply,
  nbdHandshakeFlags,
  nbdInfo,
  nbdMagic,
  nbdMaxBytes,
  nbdMaxOptionBytes,
  nbdOption,
  nbdOptionReply,
  nbdTransmissionFlags,
} from "./nbd-protocol.ts";
import type { SocketReader } from "./socket-reader.ts";

/**
 * The handshake of one connection. There is one export, whatever name it is asked for by. True when the transmission
 * begins, false when the peer gives up or isn't an NBD client.
 */
export async function negotiateNbd(
  socket: Writable,
  reader: SocketReader,
  disk: BlockExport,
): Promise<boolean> {
  socket.write(greeting());
  const clientFlags = (await reader.read(4).catch(() => undefined))?.readUInt32BE(0);
  if (clientFlags === undefined) return false;
  for (;;) {
    const option = await readOption(reader).catch(() => undefined);
    if (option === undefined || option.number === nbdOption.abort) return false;
    if (option.number === nbdOption.exportName) {
      socket.write(exportNameReply(disk, (clientFlags & nbdHandshakeFlags.noZeroes) !== 0));
      return true;
    }
    socket.write(optionReplies(option, disk));
    if (option.number === nbdOption.go && option.data !== undefined) return true;
  }
}

function greeting(): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(nbdMagic.init, 0);
  bytes.writeBigUInt64BE(nbdMagic.option, 8);
  bytes.writeUInt16BE(nbdHandshakeFlags.fixedNewstyle | nbdHandshakeFlags.noZeroes, 16);
  return bytes;
}

interface ClientOption {
  readonly number: number;
  /** Nothing when it was too long to be looked at. */
  readonly data: Buffer | undefined;
}

async function readOption(reader: SocketReader): Promise<ClientOption | undefined> {
  const head = await reader.read(16);
  if (head === undefined || head.readBigUInt64BE(0) !== nbdMagic.option) return undefined;
  const number = head.readUInt32BE(8);
  const length = head.readUInt32BE(12);
  if (length <= nbdMaxOptionBytes) return { number, data: await reader.read(length) };
  for (let left = length; left > 0; left -= nbdMaxOptionBytes) {
    if ((await reader.read(Math.min(left, nbdMaxOptionBytes))) === undefined) return undefined;
  }
  return { number, data: undefined };
}

function optionReplies({ number, data }: ClientOption, disk: BlockExport): Buffer {
  const acknowledged = encodeNbdOptionReply(number, nbdOptionReply.ack);
  if (data === undefined) return encodeNbdOptionReply(number, nbdOptionReply.tooBig);
  if (number === nbdOption.list) {
    // One export, with the empty name that clients ask for by default.
    return Buffer.concat([
      encodeNbdOptionReply(number, nbdOptionReply.server, Buffer.alloc(4)),
      acknowledged,
    ]);
  }
  if (number === nbdOption.info || number === nbdOption.go) {
    const infos = [exportInfo(disk), blockSizeInfo()];
    const replies = infos.map((info) => encodeNbdOptionReply(number, nbdOptionReply.info, info));
    return Buffer.concat([...replies, acknowledged]);
  }
  return encodeNbdOptionReply(number, nbdOptionReply.unsupported);
}

function transmissionFlags(disk: BlockExport): number {
  const { hasFlags, readOnly, sendFlush, sendTrim, sendWriteZeroes, canMultiConnect } = nbdTransmissionFlags;
  const access = disk.isWritable ? sendTrim | sendWriteZeroes : readOnly | canMultiConnect;
  return hasFlags | sendFlush | access;
}

function exportInfo(disk: BlockExport): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(nbdInfo.export, 0);
  bytes.writeBigUInt64BE(BigInt(disk.sizeBytes), 2);
  bytes.writeUInt16BE(transmissionFlags(disk), 10);
  return bytes;
}

function blockSizeInfo(): Buffer {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE(nbdInfo.blockSize, 0);
  bytes.writeUInt32BE(1, 2);
  bytes.writeUInt32BE(4096, 6);
  bytes.writeUInt32BE(nbdMaxBytes, 10);
  return bytes;
}

/** The oldest way to begin: no reply but the size, the flags and, for old clients, 124 zeros. */
function exportNameReply(disk: BlockExport, hasNoZeroes: boolean): Buffer {
  const bytes = Buffer.alloc(hasNoZeroes ? 10 : 134);
  bytes.writeBigUInt64BE(BigInt(disk.sizeBytes), 0);
  bytes.writeUInt16BE(transmissionFlags(disk), 8);
  return bytes;
}
