import { ChunkedBody } from "./chunked-body.ts";
import { MalformedAnswer, parseResponseHead, type ResponseHead } from "./response-head.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Nothing of another message came with it, and both sides keep the connection open. */
  readonly isConnectionUsable: boolean;
}

export interface ResponseReaderOptions {
  /** Bodies above this are refused: nothing that is asked for is larger. */
  readonly mostBodyBytes: number;
}

const headSpaceBytes = 16 * 1024;
const noBytes = Buffer.alloc(0);
const headEnd = Buffer.from("\r\n\r\n");

/**
 * Reads HTTP/1.1 answers out of one connection. It owns the memory that the socket fills: `space()` says where the next
 * bytes go, `advance()` that they are there. Heads go through one small buffer that is used again; a body whose length
 * is known is received where it stays, without being copied.
 */
export class ResponseReader {
  readonly #options: ResponseReaderOptions;
  readonly #buffer = Buffer.allocUnsafeSlow(headSpaceBytes);
  #filled = 0;
  #head: ResponseHead | undefined;
  #body: Buffer = noBytes;
  #bodyBytes = 0;
  #chunked: ChunkedBody | undefined;
  #sink: Buffer | undefined;

  constructor(options: ResponseReaderOptions) {
    this.#options = options;
  }

  /** Where the body of the next answer is put if it has exactly that size, or may have it. */
  expect(sink: Uint8Array | undefined): void {
    this.#sink = sink && Buffer.from(sink.buffer, sink.byteOffset, sink.byteLength);
  }

  /** Lets go of everything but its own buffer. */
  reset(): void {
    this.#filled = 0;
    this.#head = undefined;
    this.#body = noBytes;
    this.#bodyBytes = 0;
    this.#chunked = undefined;
    this.#sink = undefined;
  }

  /** Nothing of an answer has come yet. */
  get isIdle(): boolean {
    return this.#head === undefined && this.#filled === 0;
  }

  /** Never empty. Holds until the next `advance`. */
  space(): Buffer {
    if (this.#head === undefined) return this.#buffer.subarray(this.#filled);
    return typeof this.#head.body === "number" ? this.#body.subarray(this.#bodyBytes) : this.#buffer;
  }

  /** `length` bytes came to where `space()` said. Answers with the message once it is whole; throws MalformedAnswer. */
  advance(length: number): HttpAnswer | undefined {
    if (this.#head === undefined) return this.#advanceHead(length);
    if (typeof this.#head.body === "number") {
      this.#bodyBytes += length;
      return this.#bodyBytes === this.#head.body ? this.#finish(true) : undefined;
    }
    return this.#readOn(this.#buffer.subarray(0, length));
  }

  /** The sender has closed: that ends a body of unknown length, and is too early for any other. */
  end(): HttpAnswer | undefined {
    return this.#head?.body === "until-close" ? this.#finish(false) : undefined;
  }

  #advanceHead(length: number): HttpAnswer | undefined {
    const searchFrom = Math.max(0, this.#filled - headEnd.length + 1);
    this.#filled += length;
    const end = this.#buffer.subarray(0, this.#filled).indexOf(headEnd, searchFrom);
    if (end < 0) {
      if (this.#filled === headSpaceBytes) throw new MalformedAnswer("the headers are too long");
      return undefined;
    }
    const head = parseResponseHead(this.#buffer.toString("latin1", 0, end));
    const rest = this.#buffer.subarray(end + headEnd.length, this.#filled);
    this.#filled = 0;
    if (head.status < 200) return this.#skipInterim(head, rest);
    this.#head = head;
    if (typeof head.body === "number") return this.#beginSized(head.body, rest);
    this.#body = noBytes;
    if (head.body === "chunked") this.#chunked = new ChunkedBody((part) => this.#append(part));
    return rest.length === 0 ? undefined : this.#readOn(rest);
  }

  /** `100 Continue` and its like come before the answer proper. */
  #skipInterim(head: ResponseHead, rest: Buffer): HttpAnswer | undefined {
    if (head.status === 101) throw new MalformedAnswer("the protocol was switched unasked");
    rest.copy(this.#buffer, 0);
    return rest.length === 0 ? undefined : this.#advanceHead(rest.length);
  }

  #beginSized(length: number, rest: Buffer): HttpAnswer | undefined {
    if (length > this.#options.mostBodyBytes)
      throw new MalformedAnswer(`a body of ${length} bytes is announced`);
    this.#body = this.#memoryOf(length);
    this.#bodyBytes = rest.copy(this.#body, 0, 0, length);
    return this.#bodyBytes === length ? this.#finish(rest.length === length) : undefined;
  }

  #readOn(bytes: Buffer): HttpAnswer | undefined {
    if (this.#chunked === undefined) {
      this.#append(bytes);
      return undefined;
    }
    const taken = this.#chunked.feed(bytes);
    return this.#chunked.isComplete ? this.#finish(taken === bytes.length) : undefined;
  }

  /** For bodies whose length isn't known: room for all that is allowed is taken at the first byte. */
  #append(part: Uint8Array): void {
    const { mostBodyBytes } = this.#options;
    if (this.#bodyBytes + part.length > mostBodyBytes) throw new MalformedAnswer("the body is too long");
    if (this.#body.length === 0) this.#body = this.#memoryOf(mostBodyBytes);
    this.#body.set(part, this.#bodyBytes);
    this.#bodyBytes += part.length;
  }

  #memoryOf(length: number): Buffer {
    return this.#sink?.length === length ? this.#sink : Buffer.allocUnsafeSlow(length);
  }

  #finish(isAlone: boolean): HttpAnswer {
    const { status, headers, keepsAlive } = this.#head!;
    const body = this.#body.length === this.#bodyBytes ? this.#body : this.#body.subarray(0, this.#bodyBytes);
    this.reset();
    return { status, headers, body, isConnectionUsable: isAlone && keepsAlive };
  }
}
