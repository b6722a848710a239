import type { StoredObject } from "../../store/object-store.ts";

export interface BucketObject {
  readonly bytes: Uint8Array;
  /** Whole seconds. */
  readonly modifiedMs: number;
}

/** A bucket whose calls take effect at once: names are ASCII, so that their order as text is their order as bytes. */
export class SimulatedBucket {
  readonly #objects = new Map<string, BucketObject>();
  #keys: string[] = [];

  get keys(): readonly string[] {
    return this.#keys;
  }

  get(key: string): BucketObject | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  /** Stores an object, in the place of an older one of that name if there is one. */
  put(key: string, object: BucketObject): void {
    if (!this.#objects.has(key)) this.#keys.splice(this.#placeOf(key), 0, key);
    this.#objects.set(key, object);
  }

  delete(key: string): boolean {
    if (!this.#objects.delete(key)) return false;
    this.#keys.splice(this.#placeOf(key), 1);
    return true;
  }

  /** At most `count` objects whose key begins with `prefix`, after `startAfter`. */
  listPage(prefix: string, startAfter: string | undefined, count: number): readonly StoredObject[] {
    const page: StoredObject[] = [];
    for (let at = this.#startOf(prefix, startAfter); at < this.#keys.length && page.length < count; at++) {
      const key = this.#keys[at]!;
      if (!key.startsWith(prefix)) break;
      const { bytes, modifiedMs } = this.#objects.get(key)!;
      page.push({ key, sizeBytes: bytes.length, modifiedMs });
    }
    return page;
  }

  /** At most `count` folders under `prefix`, after the folder `startAfter`. */
  listFolderPage(prefix: string, startAfter: string | undefined, count: number): readonly string[] {
    const page: string[] = [];
    // The folder's own objects sort between it and its name followed by the highest character.
    const after = startAfter === undefined ? undefined : `${startAfter}\uffff`;
    for (let at = this.#startOf(prefix, after); at < this.#keys.length; at++) {
      const key = this.#keys[at]!;
      if (!key.startsWith(prefix)) break;
      const end = key.indexOf("/", prefix.length);
      const folder = key.slice(0, end + 1);
      if (end < 0 || page.at(-1) === folder) continue;
      if (page.length === count) break;
      page.push(folder);
    }
    return page;
  }

  #startOf(prefix: string, startAfter: string | undefined): number {
    if (startAfter === undefined || startAfter < prefix) return this.#placeOf(prefix);
    const at = this.#placeOf(startAfter);
    return this.#keys[at] === startAfter ? at + 1 : at;
  }

  /** The first place whose key is not below `key`. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
