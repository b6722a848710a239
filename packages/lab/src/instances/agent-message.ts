import { createHash, randomUUID } from "node:crypto";

/**
 * One frame of the Systems Manager message gateway, as agent and service send them over the control channel.
 *
 * Layout, numbers big-endian: header length (4), message type (32, padded with blanks), schema version (4), created
 * (8, epoch milliseconds), sequence number (8), flags (8), message id (16, the UUID's lower half first), SHA-256 of the
 * payload (32), payload type (4), payload length (4), payload. The header length counts what is before the payload
 * length.
 */
export interface AgentMessage {
  readonly type: string;
  readonly messageId: string;
  readonly createdMs: number;
  readonly payload: Uint8Array;
}

const offsets = {
  type: 4,
  version: 36,
  created: 40,
  sequence: 48,
  flags: 56,
  id: 64,
  digest: 80,
  payloadType: 112,
};
const headerLength = 116;
const payloadStart = headerLength + 4;

/** A new message with a JSON payload. */
export function newAgentMessage(type: string, payload: object, createdMs: number): AgentMessage {
  return { type, messageId: randomUUID(), createdMs, payload: Buffer.from(JSON.stringify(payload)) };
}

export function encodeAgentMessage({ type, messageId, createdMs, payload }: AgentMessage): Buffer {
  const header = Buffer.alloc(payloadStart);
  header.writeUInt32BE(headerLength, 0);
  header.write(type.padEnd(32, " "), offsets.type, 32, "utf8");
  header.writeUInt32BE(1, offsets.version);
  header.writeBigUInt64BE(BigInt(Math.floor(createdMs)), offsets.created);
  const id = Buffer.from(messageId.replaceAll("-", ""), "hex");
  id.copy(header, offsets.id, 8, 16);
  id.copy(header, offsets.id + 8, 0, 8);
  createHash("sha256").update(payload).digest().copy(header, offsets.digest);
  header.writeUInt32BE(payload.length, headerLength);
  return Buffer.concat([header, payload]);
}

/** Throws a RangeError for a frame that is cut short or whose payload isn't what its digest says. */
export function decodeAgentMessage(frame: Buffer): AgentMessage {
  if (frame.length < payloadStart)
    throw new RangeError(`an agent message of ${frame.length} bytes is too short`);
  const lengthAt = frame.readUInt32BE(0);
  const start = lengthAt + 4;
  const payload = frame.subarray(start, start + frame.readUInt32BE(lengthAt));
  const digest = frame.subarray(offsets.digest, offsets.digest + 32);
  if (!createHash("sha256").update(payload).digest().equals(digest)) {
    throw new RangeError("an agent message's payload doesn't match its digest");
  }
  const hex = Buffer.concat([
    frame.subarray(offsets.id + 8, offsets.id + 16),
    frame.subarray(offsets.id, offsets.id + 8),
  ]).toString("hex");
  return {
    type: frame.toString("utf8", offsets.type, offsets.version).replaceAll("\0", " ").trim(),
    messageId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    createdMs: Number(frame.readBigUInt64BE(offsets.created)),
    payload,
  };
}

/** The JSON inside a message. */
export function payloadOf(message: AgentMessage): unknown {
  return JSON.parse(Buffer.from(message.payload).toString("utf8"));
}
