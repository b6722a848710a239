import { isHookId, type Hook } from "../format/hooks.ts";
import type { Leaf } from "../format/leaf-page.ts";

/** The hooks of a volume being written: the parent's, except for leaves that are written anew. */
export class HookList {
  readonly #parent: readonly Hook[];
  readonly #hooks: Hook[] = [];
  #next = 0;

  /** `parent`: hooks of the map that unlisted leaves are taken from. */
  constructor(parent: readonly Hook[]) {
    this.#parent = parent;
  }

  /** Leaves come in ascending order. */
  replaceLeaf(number: number, leaf: Leaf): void {
    this.#takeOver(number);
    while (this.#parent[this.#next]?.leaf === number) this.#next++;
    for (const entry of leaf) {
      if (entry === undefined || !isHookId(entry.id)) continue;
      this.#hooks.push({ idPrefix: entry.id.subarray(0, 8), leaf: number });
    }
  }

  finish(): readonly Hook[] {
    this.#takeOver(Number.POSITIVE_INFINITY);
    return this.#hooks;
  }

  #takeOver(beforeLeaf: number): void {
    for (let hook = this.#parent[this.#next]; hook !== undefined && hook.leaf < beforeLeaf;) {
      this.#hooks.push(hook);
      hook = this.#parent[++this.#next];
    }
  }
}
