import { Readable } from "node:stream";

/** The whole body in memory. A mismatch with the signed hash of the content rejects here. */
export async function readBody(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return Buffer.from(body);
  const parts: Uint8Array[] = [];
  for await (const part of body as AsyncIterable<Uint8Array>) parts.push(part);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** The body as a stream, however it arrived. */
export function openBody(body: unknown): Readable {
  if (body instanceof Readable) return body;
  if (body instanceof Uint8Array || typeof body === "string") return Readable.from([Buffer.from(body)]);
  return Readable.from([]);
}
