import type { Readable } from "node:stream";

/** Reads exact numbers of bytes off a stream, with its back-pressure. */
export class SocketReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Nothing when the stream ends before. The bytes are the caller's. */
  async read(length: number): Promise<Buffer | undefined> {
    const parts = [this.#rest];
    let total = this.#rest.length;
    while (total < length) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      parts.push(next.value);
      total += next.value.length;
    }
    const bytes = Buffer.concat(parts, total);
    this.#rest = bytes.subarray(length);
    return bytes.subarray(0, length);
  }
}
