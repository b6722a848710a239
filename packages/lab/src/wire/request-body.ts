import { createHash, hash } from "node:crypto";
import { blockBufferBytes } from "./block-buffers.ts";
import type { IncomingMessage } from "node:http";
import { Transform, type Readable, type TransformCallback } from "node:stream";
import { AwsError } from "./aws-error.ts";

const noBody = Buffer.alloc(0);
/** Bodies of operations that don't stream are held in memory up to here; EC2 user data and policies stay far below. */
const maxBufferedBytes = 16 * 2 ** 20;

/** The whole body of a request; in `memory` when it is just one block. */
export function readWholeBody(message: IncomingMessage, memory?: () => Buffer): Promise<Buffer> {
  const length = message.headers["content-length"];
  const hasNone = length === undefined && message.headers["transfer-encoding"] === undefined;
  if (length === "0" || hasNone) return Promise.resolve(noBody);
  if (memory !== undefined && length === String(blockBufferBytes)) return readBlock(message, memory());
  return readParts(message);
}

/** The parser sees to it that a body is just as long as its length says. */
function readBlock(message: IncomingMessage, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = 0;
    message.on("data", (part: Buffer) => {
      received += part.copy(block, received);
      freeMemory(part);
    });
    // A view of its own for each body: what is known of one body isn't known of the next in the same memory.
    message.on("end", () => resolve(block.subarray()));
    rejectWhenCut(message, reject);
  });
}

/** At once, not when the collector comes: it would come every hundred blocks and take longer than they do. */
function freeMemory(part: Buffer): void {
  const { buffer } = part;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === part.byteLength) buffer.transfer(0);
}

function rejectWhenCut(message: IncomingMessage, reject: (error: Error) => void): void {
  message.on("error", reject);
  message.on("aborted", () =>
    reject(new AwsError("RequestTimeout", "the client went away", { status: 400 })),
  );
}

function readParts(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    message.on("data", (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes <= maxBufferedBytes) parts.push(part);
    });
    message.on("end", () => {
      if (sizeBytes > maxBufferedBytes)
        reject(new AwsError("RequestEntityTooLarge", "the request body is too large", { status: 413 }));
      else resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts, sizeBytes));
    });
    rejectWhenCut(message, reject);
  });
}

const hexHash = /^[0-9a-f]{64}$/;

/** Whether `x-amz-content-sha256` states the content's own hash, rather than `UNSIGNED-PAYLOAD` or the like. */
export function isContentHash(value: string): boolean {
  return hexHash.test(value);
}

export function contentHash(body: Uint8Array): string {
  return contentDigest(body).toString("hex");
}

const digests = new WeakMap<Uint8Array, Buffer>();

/** SHA-256 of a body, which the signature's check and what is stored both ask for: computed once. */
export function contentDigest(body: Uint8Array): Buffer {
  let digest = digests.get(body);
  if (digest === undefined) digests.set(body, (digest = hash("sha256", body, "buffer")));
  return digest;
}

export function contentHashMismatch(): AwsError {
  return new AwsError(
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    {
      status: 400,
    },
  );
}

/** Passes a stream on and fails it at its end when its bytes aren't those whose hash was signed. */
export function hashChecked(body: Readable, expected: string): Readable {
  const running = createHash("sha256");
  const check = new Transform({
    transform(part: Buffer, _encoding, done: TransformCallback) {
      running.update(part);
      done(null, part);
    },
    flush(done) {
      done(running.digest("hex") === expected ? null : contentHashMismatch());
    },
  });
  body.on("error", (error) => check.destroy(error));
  return heard(body.pipe(check));
}

/**
 * A client may go away before anybody reads its body, or after somebody has stopped: an error that nobody listens to would
 * end the lab. Who reads is told all the same.
 */
export function heard<Body extends Readable>(body: Body): Body {
  body.on("error", () => undefined);
  return body;
}
