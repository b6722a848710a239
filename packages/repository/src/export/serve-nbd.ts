import type { Duplex } from "node:stream";
import type { Logger } from "@garrison/core/logger";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { BlockExport, ExportCall } from "./block-export.ts";
import { negotiateNbd } from "./negotiate-nbd.ts";
import {
  decodeNbdRequest,
  encodeNbdReply,
  nbdCommand,
  nbdError,
  nbdMaxBytes,
  nbdRequestBytes,
  type NbdRequest,
} from "./nbd-protocol.ts";
import { SocketReader } from "./socket-reader.ts";

const requestsAtOnce = 16;

/**
 * Serves one NBD connection until the peer ends it, says something that isn't NBD, or the call is stopped. Replies go out
 * as they are ready, in any order. A block that can't be read is an I/O error of that request and is logged; the
 * connection goes on.
 */
export async function serveNbd(
  dependencies: { readonly logger: Logger },
  connection: { readonly socket: Duplex; readonly disk: BlockExport },
  call: ExportCall,
): Promise<void> {
  const { socket, disk } = connection;
  const reader = new SocketReader(socket);
  const abort = () => void socket.destroy();
  call.signal.addEventListener("abort", abort, { once: true });
  socket.on("error", () => undefined); // the peer is gone: reading ends by itself
  try {
    if (await negotiateNbd(socket, reader, disk))
      await transmit(dependencies, { ...connection, reader }, call);
  } finally {
    call.signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}

interface Transmission {
  readonly socket: Duplex;
  readonly disk: BlockExport;
  readonly reader: SocketReader;
}

async function transmit(
  dependencies: { readonly logger: Logger },
  { socket, disk, reader }: Transmission,
  call: ExportCall,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (;;) {
    const head = await reader.read(nbdRequestBytes).catch(() => undefined);
    const request = head === undefined ? undefined : decodeNbdRequest(head);
    if (request === undefined || request.command === nbdCommand.disconnect) break;
    const isWrite = request.command === nbdCommand.write;
    if (isWrite && request.length > nbdMaxBytes) break; // too much to read over
    const data = isWrite ? await reader.read(request.length) : undefined;
    if (isWrite && data === undefined) break;
    const answered = answer(dependencies, { disk, request, data }, call).then((reply) => send(socket, reply));
    underWay.add(answered);
    void answered.finally(() => underWay.delete(answered)).catch(() => undefined);
    if (underWay.size >= requestsAtOnce) await Promise.race(underWay).catch(() => undefined);
    await untilTaken(socket);
  }
  await Promise.allSettled(underWay);
}

/** The parts of a reply leave together: nothing else may come between them. */
function send(socket: Duplex, parts: readonly Uint8Array[]): void {
  if (socket.destroyed) return;
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}

/** A peer that doesn't take its replies is not read from any further. */
async function untilTaken(socket: Duplex): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.once("drain", go).once("close", go);
  });
}

interface Asked {
  readonly disk: BlockExport;
  readonly request: NbdRequest;
  readonly data: Uint8Array | undefined;
}

async function answer(
  { logger }: { readonly logger: Logger },
  asked: Asked,
  call: ExportCall,
): Promise<readonly Uint8Array[]> {
  const { handle, offset, length } = asked.request;
  const refused = refusal(asked);
  if (refused !== 0) return encodeNbdReply(handle, refused);
  try {
    return encodeNbdReply(handle, 0, await carryOut(asked, call));
  } catch (error) {
    const isFull = isGarrisonError(error, "export-full");
    logger.warn({ offset, length, error: String(error) }, "a request on the exported disk failed");
    return encodeNbdReply(handle, isFull ? nbdError.noSpace : nbdError.io);
  }
}

function refusal({ disk, request }: Asked): number {
  const { command, offset, length } = request;
  if (command === nbdCommand.flush) return 0;
  const isKnown = [nbdCommand.read, nbdCommand.write, nbdCommand.trim, nbdCommand.writeZeroes].includes(
    command as 0,
  );
  if (!isKnown) return nbdError.invalid;
  if (command !== nbdCommand.read && !disk.isWritable) return nbdError.permission;
  if (offset + length > disk.sizeBytes)
    return command === nbdCommand.read ? nbdError.invalid : nbdError.noSpace;
  return command === nbdCommand.read && length > nbdMaxBytes ? nbdError.overflow : 0;
}

async function carryOut({ disk, request, data }: Asked, call: ExportCall): Promise<Uint8Array | undefined> {
  const { command, offset, length } = request;
  if (command === nbdCommand.read) return disk.read(offset, length, call);
  if (command === nbdCommand.write) await disk.write(offset, data!, call);
  // A trim promises nothing about later reads, so nothing has to be done.
  if (command === nbdCommand.writeZeroes) {
    for (let done = 0; done < length; done += nbdMaxBytes) {
      await disk.write(offset + done, new Uint8Array(Math.min(nbdMaxBytes, length - done)), call);
    }
  }
  return undefined;
}
