import { createHash, createHmac, hash, type Hash, type KeyObject } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { AwsError } from "./aws-error.ts";
import type { Signature } from "./signature.ts";

export interface ChunkSigning {
  readonly signature: Signature;
  readonly key: KeyObject;
}

type State = "size" | "data" | "data-end" | "trailer" | "done";

const emptyHash = hash("sha256", "");

/**
 * Takes the aws-chunked coding off a body: `<hex size>[;chunk-signature=…]` lines, data, then trailing headers. With
 * `signing` each chunk's signature (a chain that starts from the request's) is verified before the body ends; a
 * mismatch fails the stream, so a handler that reads to the end never accepts altered bytes.
 */
export class AwsChunkedDecoder extends Transform {
  readonly trailers: Record<string, string> = {};
  readonly #signing: ChunkSigning | undefined;
  #state: State = "size";
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;
  #chunkHash: Hash | undefined;
  #chunkSignature = "";
  #previousSignature: string;
  #trailerText = "";
  #trailerSignature: string | undefined;

  constructor(signing?: ChunkSigning) {
    super();
    this.#signing = signing;
    this.#previousSignature = signing?.signature.signature ?? "";
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      // The last line may lack its line feed; what follows the last chunk is the trailing headers.
      if (this.#state === "trailer" && this.#pending.length > 0)
        this.#readTrailer(this.#pending.toString("latin1"));
      if (this.#state !== "trailer" && this.#state !== "done") throw incomplete();
      this.#checkTrailer();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #step(): boolean {
    if (this.#state === "data") return this.#takeData();
    if (this.#state === "done") return false;
    const end = this.#pending.indexOf("\r\n");
    if (end < 0) return false;
    const line = this.#pending.toString("latin1", 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    if (this.#state === "data-end") {
      if (line !== "") throw incomplete();
      this.#state = "size";
    } else if (this.#state === "size") this.#readSize(line);
    else this.#readTrailer(line);
    return true;
  }

  #readSize(line: string): void {
    const [size = "", extension] = line.split(";");
    this.#left = Number.parseInt(size, 16);
    if (Number.isNaN(this.#left)) throw incomplete();
    this.#chunkSignature = /^chunk-signature=([0-9a-f]{64})$/.exec(extension ?? "")?.[1] ?? "";
    if (this.#signing !== undefined) this.#chunkHash = createHash("sha256");
    this.#state = "data";
    if (this.#left === 0) {
      this.#endChunk();
      this.#state = "trailer";
    }
  }

  #takeData(): boolean {
    if (this.#pending.length === 0) return false;
    const part = this.#pending.subarray(0, this.#left);
    this.#pending = this.#pending.subarray(part.length);
    this.#left -= part.length;
    this.#chunkHash?.update(part);
    this.push(part);
    if (this.#left === 0) {
      this.#endChunk();
      this.#state = "data-end";
    }
    return true;
  }

  #endChunk(): void {
    if (this.#signing === undefined) return;
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${this.#context()}\n${emptyHash}\n${this.#chunkHash!.digest("hex")}`;
    this.#verify(text, this.#chunkSignature);
  }

  #readTrailer(line: string): void {
    if (line === "") return;
    const cut = line.indexOf(":");
    const name = line.slice(0, cut).toLowerCase();
    const value = line.slice(cut + 1).trim();
    if (name === "x-amz-trailer-signature") this.#trailerSignature = value;
    else {
      this.trailers[name] = value;
      this.#trailerText += `${name}:${value}\n`;
    }
  }

  #checkTrailer(): void {
    if (this.#signing === undefined || this.#trailerText === "") return;
    const text = `AWS4-HMAC-SHA256-TRAILER\n${this.#context()}\n${hash("sha256", this.#trailerText)}`;
    this.#verify(text, this.#trailerSignature ?? "");
  }

  #context(): string {
    const { timestamp, date, region, service } = this.#signing!.signature;
    return `${timestamp}\n${date}/${region}/${service}/aws4_request\n${this.#previousSignature}`;
  }

  #verify(text: string, given: string): void {
    const expected = createHmac("sha256", this.#signing!.key).update(text).digest("hex");
    if (expected !== given) {
      throw new AwsError("SignatureDoesNotMatch", "The signature of a chunk of the body does not match.", {
        status: 403,
      });
    }
    this.#previousSignature = expected;
  }
}

function incomplete(): AwsError {
  return new AwsError("IncompleteBody", "The request body terminated unexpectedly", { status: 400 });
}
