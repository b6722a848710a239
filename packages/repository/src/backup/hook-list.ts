import { ByteWriter } from "../format/byte-writer.ts";
import { hookBytes, hookPrefixBytes, isHookId, PackedHooks } from "../format/hooks.ts";
import type { Leaf } from "../format/leaf-page.ts";

/** The hooks of a volume being written: the parent's, except for leaves that are written anew. */
export class HookList {
  readonly #parent: PackedHooks;
  readonly #hooks = new ByteWriter(1024);
  #next = 0;

  /** `parent`: hooks of the map that unlisted leaves are taken from. */
  constructor(parent: PackedHooks) {
    this.#parent = parent;
  }

  /** Leaves come in ascending order. */
  replaceLeaf(number: number, leaf: Leaf): void {
    this.#takeOver(number);
    while (this.#next < this.#parent.length && this.#parent.leaf(this.#next) === number) this.#next++;
    for (const entry of leaf) {
      if (entry === undefined || !isHookId(entry.id)) continue;
      this.#hooks.bytes(entry.id.subarray(0, hookPrefixBytes)).u32(number);
    }
  }

  finish(): PackedHooks {
    this.#takeOver(Number.POSITIVE_INFINITY);
    return new PackedHooks(this.#hooks.finish());
  }

  #takeOver(beforeLeaf: number): void {
    const first = this.#next;
    while (this.#next < this.#parent.length && this.#parent.leaf(this.#next) < beforeLeaf) this.#next++;
    this.#hooks.bytes(this.#parent.bytes.subarray(first * hookBytes, this.#next * hookBytes));
  }
}
