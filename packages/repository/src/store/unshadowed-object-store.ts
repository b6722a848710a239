import { isGarrisonError } from "@garrison/core/garrison-error";
import { gatherVersions, type GatheredVersions } from "./gather-versions.ts";
import type {
  ByteRange,
  CreateCall,
  CreateOutcome,
  ObjectStore,
  ObjectVersions,
  StoreCall,
  StoredObject,
} from "./object-store.ts";

/** What somebody did to an object that we wrote: put a delete marker over it, or another version. */
export interface Shadow {
  readonly key: string;
  readonly how: "hidden" | "overwritten";
}

export interface UnshadowedOptions {
  /** Told of every shadow that is met; of one object perhaps more than once. */
  readonly onShadowed?: (shadow: Shadow) => void;
  /**
   * Objects of which the first version is always the one that counts (slots, tombstones). Of others the current one is
   * read as long as it is there: readers that find it damaged look for earlier ones themselves.
   */
  readonly isDecisive?: (key: string) => boolean;
}

/**
 * A store that keeps versions, seen as if nobody could hide or replace anything in it. We create each key once, so the
 * oldest version is ours and every later one, and every delete marker, is somebody else's: objects under them are listed,
 * with their own size, and read all the same. What is *deleted* is gone for good, with all its versions (`object-locked`
 * while the first one is locked). A store without versions is returned as it is.
 */
export function openUnshadowedObjectStore(store: ObjectStore, options: UnshadowedOptions = {}): ObjectStore {
  const { versions } = store;
  if (versions === undefined) return store;
  return new UnshadowedObjectStore(store, versions, options);
}

const keptKeys = 4096;

class UnshadowedObjectStore implements ObjectStore {
  readonly address: string;
  readonly versions: ObjectVersions;
  readonly #store: ObjectStore;
  readonly #options: UnshadowedOptions;
  /** The first versions of the keys that were listed last. */
  readonly #firstVersions = new Map<string, string>();

  constructor(store: ObjectStore, versions: ObjectVersions, options: UnshadowedOptions) {
    this.address = store.address;
    this.versions = versions;
    this.#store = store;
    this.#options = options;
  }

  async create(key: string, bytes: Uint8Array, call: CreateCall): Promise<CreateOutcome> {
    const outcome = await this.#store.create(key, bytes, call);
    if (outcome === "exists" || this.#options.isDecisive?.(key) !== true) return outcome;
    // Under a delete marker S3 takes a name for free that is ours already.
    const [found] = await Array.fromAsync(this.#objects(key, call));
    return found !== undefined && found.holding > 1 ? "exists" : outcome;
  }

  async read(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array> {
    const known = this.#firstVersions.get(key);
    try {
      if (known !== undefined) return await this.versions.read({ key, versionId: known }, call);
      if (this.#options.isDecisive?.(key) !== true) return await this.#store.read(key, call);
    } catch (error) {
      const isGone = isGarrisonError(error, "object-missing") || isGarrisonError(error, "object-truncated");
      if (!isGone) throw error;
    }
    return this.#readFirst(key, call);
  }

  async *list(
    prefix: string,
    call: StoreCall & { readonly startAfter?: string },
  ): AsyncGenerator<StoredObject> {
    for await (const object of gatherVersions(this.versions.list(prefix, call))) {
      const known = this.#note(object);
      if (known !== undefined) yield known;
    }
  }

  listFolders(prefix: string, call: StoreCall): AsyncIterable<string> {
    return this.versions.listFolders(prefix, call);
  }

  /** The first version goes first: while it is locked, nothing is touched. */
  async delete(key: string, call: StoreCall): Promise<void> {
    this.#firstVersions.delete(key);
    const [found] = await Array.fromAsync(this.#objects(key, call));
    if (found?.first !== undefined) await this.versions.delete(found.first, call);
    for await (const version of this.versions.list(key, call)) {
      if (version.key !== key) break;
      await this.versions.delete(version, call);
    }
  }

  async #readFirst(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array> {
    this.#firstVersions.delete(key);
    for await (const object of this.#objects(key, call)) this.#note(object);
    const versionId = this.#firstVersions.get(key);
    // Nothing of that name: the store says so in its own words.
    if (versionId === undefined) return this.#store.read(key, call);
    return this.versions.read({ key, versionId }, call);
  }

  /** The one object of exactly this name, or nothing. */
  async *#objects(key: string, { signal }: StoreCall): AsyncGenerator<GatheredVersions> {
    for await (const object of gatherVersions(this.versions.list(key, { signal }))) {
      if (object.latest.key === key) yield object;
      return;
    }
  }

  /** Remembers the version that counts and tells of shadows. Nothing where only markers are left. */
  #note({ latest, first, count }: GatheredVersions): StoredObject | undefined {
    if (first === undefined) return undefined;
    const { key, versionId, sizeBytes, modifiedMs } = first;
    this.#firstVersions.delete(key);
    this.#firstVersions.set(key, versionId);
    if (this.#firstVersions.size > keptKeys) {
      this.#firstVersions.delete(this.#firstVersions.keys().next().value!);
    }
    if (count > 1) this.#options.onShadowed?.({ key, how: latest.isDeleteMarker ? "hidden" : "overwritten" });
    return { key, sizeBytes, modifiedMs };
  }
}
