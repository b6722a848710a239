import { createHash, hash } from "node:crypto";
import { blockSizeBytes } from "../../disk/block-source.ts";

export const wordBytes = 8;
const payloadLeast = 24;
const payloadSpread = 96;

/**
 * Blocks of known content, by number: each begins with a word of its own and goes on with zeros. Their digests are
 * computed once for all histories of a run.
 */
export class ContentPool {
  readonly size: number;
  readonly #words: readonly Buffer[];
  readonly #byWord = new Map<string, number>();
  readonly #payloads: readonly Buffer[];
  readonly #digests: readonly Uint8Array[];

  constructor(size: number) {
    this.size = size;
    const numbers = Array.from({ length: size }, (_, content) => content);
    this.#words = numbers.map((content) =>
      createHash("sha256").update(`content ${content}`).digest().subarray(0, wordBytes),
    );
    for (const content of numbers) this.#byWord.set(this.#words[content]!.toString("latin1"), content);
    this.#payloads = numbers.map((content) => stretch(this.#words[content]!, content));
    this.#digests = this.#words.map(digestOf);
  }

  wordOf(content: number): Uint8Array {
    return this.#words[content]!;
  }

  sha256Of(content: number): Uint8Array {
    return this.#digests[content]!;
  }

  /** What stands for the compressed block in a pack. */
  payloadOf(content: number): Uint8Array {
    return this.#payloads[content]!;
  }

  contentOfWord(word: Uint8Array): number | undefined {
    return this.#byWord.get(Buffer.from(word.buffer, word.byteOffset, wordBytes).toString("latin1"));
  }

  contentOfPayload(payload: Uint8Array): number | undefined {
    if (payload.length < payloadLeast) return undefined;
    const content = this.contentOfWord(payload);
    return content !== undefined && this.#payloads[content]!.equals(payload) ? content : undefined;
  }
}

/** Payloads have different lengths, so that packs fill unevenly. */
function stretch(word: Buffer, content: number): Buffer {
  const outputLength = payloadLeast + ((content * 37) % payloadSpread) - wordBytes;
  return Buffer.concat([word, createHash("shake256", { outputLength }).update(word).digest()]);
}

function digestOf(word: Buffer): Uint8Array {
  const block = Buffer.alloc(blockSizeBytes);
  block.set(word);
  return hash("sha256", block, "buffer");
}
