import { MalformedAnswer } from "./response-head.ts";

const longestLine = 4096;
const mostTrailerBytes = 8192;

type Expecting = "size" | "data" | "data-end" | "trailer" | "nothing";

/** Takes the chunked coding off a body, in whatever pieces it comes; `deliver` gets the data, in order. */
export class ChunkedBody {
  readonly #deliver: (part: Uint8Array) => void;
  #expecting: Expecting = "size";
  #left = 0;
  #line = "";
  #trailerBytes = 0;

  constructor(deliver: (part: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  get isComplete(): boolean {
    return this.#expecting === "nothing";
  }

  /** Answers how many of the bytes belong to the body; fewer than there are only when it is complete. */
  feed(bytes: Buffer): number {
    let position = 0;
    while (position < bytes.length && this.#expecting !== "nothing") {
      position =
        this.#expecting === "data" ? this.#takeData(bytes, position) : this.#takeLine(bytes, position);
    }
    return position;
  }

  #takeData(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    this.#deliver(bytes.subarray(from, end));
    this.#left -= end - from;
    if (this.#left === 0) this.#expecting = "data-end";
    return end;
  }

  #takeLine(bytes: Buffer, from: number): number {
    const lineFeed = bytes.indexOf(0x0a, from);
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
    this.#line += bytes.toString("latin1", from, end);
    if (this.#line.length > longestLine) throw new MalformedAnswer("a line of the chunked body is too long");
    if (lineFeed < 0) return end;
    if (!this.#line.endsWith("\r\n")) throw new MalformedAnswer("a line of the chunked body has no end");
    const line = this.#line.slice(0, -2);
    this.#line = "";
    this.#readLine(line);
    return end;
  }

  #readLine(line: string): void {
    if (this.#expecting === "size") this.#readSize(line);
    else if (this.#expecting === "trailer") this.#readTrailer(line);
    else if (line !== "") throw new MalformedAnswer("a chunk is longer than its size");
    else this.#expecting = "size";
  }

  #readSize(line: string): void {
    const hit = /^([0-9a-fA-F]{1,8})(?:[\t ]*;[\t -~]*)?$/.exec(line);
    if (hit === null) throw new MalformedAnswer("a chunk's size is not a number");
    this.#left = Number.parseInt(hit[1]!, 16);
    this.#expecting = this.#left === 0 ? "trailer" : "data";
  }

  #readTrailer(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > mostTrailerBytes) throw new MalformedAnswer("the trailers are too long");
    if (line === "") this.#expecting = "nothing";
  }
}
