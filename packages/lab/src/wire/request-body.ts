import { createHash, hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Transform, type Readable, type TransformCallback } from "node:stream";
import { AwsError } from "./aws-error.ts";

/** Bodies of operations that don't stream are held in memory up to here; EC2 user data and policies stay far below. */
const maxBufferedBytes = 16 * 2 ** 20;

/** The whole body of a request. */
export function readWholeBody(message: IncomingMessage): Promise<Buffer> {
  if (message.headers["content-length"] === "0") return Promise.resolve(Buffer.alloc(0));
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
    message.on("error", reject);
    message.on("aborted", () =>
      reject(new AwsError("RequestTimeout", "the client went away", { status: 400 })),
    );
  });
}

const hexHash = /^[0-9a-f]{64}$/;

/** Whether `x-amz-content-sha256` states the content's own hash, rather than `UNSIGNED-PAYLOAD` or the like. */
export function isContentHash(value: string): boolean {
  return hexHash.test(value);
}

export function contentHash(body: Uint8Array): string {
  return hash("sha256", body);
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
