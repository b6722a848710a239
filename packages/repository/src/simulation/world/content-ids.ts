import { chunkId } from "../../format/item-identity.ts";
import type { ContentPool } from "./content-pool.ts";

/** The ids that a domain's chunks of each content have: one key makes them for ever, through all rotations. */
export class ContentIds {
  readonly #ids: readonly string[];
  readonly #contents = new Map<string, number>();

  constructor(contents: ContentPool, idKey: Uint8Array) {
    const numbers = Array.from({ length: contents.size }, (_, content) => content);
    this.#ids = numbers.map((content) => hexOf(chunkId(idKey, contents.sha256Of(content))));
    for (const content of numbers) this.#contents.set(this.#ids[content]!, content);
  }

  /** Hex digits. */
  idOf(content: number): string {
    return this.#ids[content]!;
  }

  contentOf(id: Uint8Array): number | undefined {
    return this.#contents.get(hexOf(id));
  }
}

function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}
