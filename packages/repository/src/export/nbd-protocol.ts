/**
 * The parts of the NBD protocol that an export needs: fixed newstyle negotiation and simple replies
 * (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md). All numbers are big-endian.
 */
export const nbdMagic = {
  init: 0x4e42444d41474943n,
  option: 0x49484156454f5054n,
  optionReply: 0x0003e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
} as const;

export const nbdHandshakeFlags = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const nbdOption = { exportName: 1, abort: 2, list: 3, info: 6, go: 7 } as const;

export const nbdOptionReply = {
  ack: 1,
  server: 2,
  info: 3,
  unsupported: 0x80000001,
  invalid: 0x80000003,
  unknown: 0x80000006,
  tooBig: 0x80000009,
} as const;

export const nbdInfo = { export: 0, blockSize: 3 } as const;

export const nbdCommand = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6 } as const;

export const nbdTransmissionFlags = {
  hasFlags: 1,
  readOnly: 2,
  sendFlush: 4,
  sendTrim: 32,
  sendWriteZeroes: 64,
  canMultiConnect: 256,
} as const;

/** Error numbers that a reply may carry. */
export const nbdError = { permission: 1, io: 5, invalid: 22, noSpace: 28, overflow: 75 } as const;

/** A peer that asks for more at once is refused. */
export const nbdMaxBytes = 32 * 1024 * 1024;
export const nbdMaxOptionBytes = 64 * 1024;

export interface NbdRequest {
  readonly command: number;
  /** Given back in the reply as it came. */
  readonly handle: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

export const nbdRequestBytes = 28;

/** Nothing when the magic number is not that of a request. */
export function decodeNbdRequest(bytes: Buffer): NbdRequest | undefined {
  if (bytes.readUInt32BE(0) !== nbdMagic.request) return undefined;
  return {
    command: bytes.readUInt16BE(6),
    handle: bytes.subarray(8, 16),
    offset: Number(bytes.readBigUInt64BE(16)),
    length: bytes.readUInt32BE(24),
  };
}

export function encodeNbdReply(handle: Uint8Array, error: number, data?: Uint8Array): readonly Uint8Array[] {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(nbdMagic.simpleReply, 0);
  head.writeUInt32BE(error, 4);
  head.set(handle, 8);
  return data === undefined ? [head] : [head, data];
}

export function encodeNbdOptionReply(
  option: number,
  type: number,
  data: Uint8Array = new Uint8Array(0),
): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(nbdMagic.optionReply, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
}
