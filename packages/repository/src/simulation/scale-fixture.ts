import { createHash } from "node:crypto";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { blockSizeBytes, type BlockSource } from "../disk/block-source.ts";
import type { ObjectStore, StoredObject } from "../store/object-store.ts";

/** Models for what would not fit on this machine: a disk made by rule, and a store that forgets what packs hold. */
export interface RuledDisk {
  readonly blocks: number;
  /** How many of the blocks hold something, spread evenly. */
  readonly stored: number;
  /** Bytes of each that can't be compressed; the rest is zero. */
  readonly weight?: number;
  /** Blocks that are new in this generation, out of every thousand stored ones; only they are listed. */
  readonly changedPerMille?: number;
  readonly generation?: number;
}

/** The disk as a source: its blocks are made when they are read, and cost next to nothing. */
export function ruledSource(disk: RuledDisk): BlockSource {
  const { blocks, stored, weight = 32, changedPerMille, generation = 0 } = disk;
  const gap = blocks / stored;
  const isListed = (number: number) =>
    changedPerMille === undefined || (number * 7919) % 1000 < changedPerMille;
  return {
    sizeBytes: blocks * blockSizeBytes,
    identity: `ruled:${generation}`,
    coverage: changedPerMille === undefined ? "full" : "changes",
    list: async function* ({ fromBlock = 0, signal }) {
      for (let number = Math.ceil(fromBlock / gap); number < stored; number++) {
        throwIfAborted(signal);
        if (isListed(number)) yield { index: Math.floor(number * gap) };
      }
    },
    read: async ({ index }, into) => {
      const seed = `${generation}/${index}`;
      const content = createHash("shake256", { outputLength: weight }).update(seed).digest();
      into.fill(0, weight, blockSizeBytes);
      into.set(content);
      // As a source that has verified the block gives it: what is stored is never opened in these simulations.
      return { sha256: createHash("sha256").update(seed).digest() };
    },
    close: async () => undefined,
  };
}

interface Folder {
  readonly names: string[];
  isSorted: boolean;
}

/** A store in memory that finds its objects by folder, and of data packs keeps name and size. */
export function openScaleStore(now: () => number): ObjectStore & { readonly bytesKept: () => number } {
  const objects = new Map<string, { readonly bytes: Uint8Array | undefined; readonly sizeBytes: number }>();
  const folders = new Map<string, Folder>();
  let bytesKept = 0;
  const note = (key: string) => {
    const [folder, name] = splitKey(key);
    const known = folders.get(folder);
    if (known === undefined) folders.set(folder, { names: [name], isSorted: true });
    else {
      known.isSorted &&= name > known.names.at(-1)!;
      known.names.push(name);
    }
  };
  return {
    address: "scale:",
    bytesKept: () => bytesKept,
    async create(key, bytes) {
      if (objects.has(key)) return "exists";
      const kept = key.includes("/pack/") ? undefined : new Uint8Array(bytes);
      bytesKept += kept?.length ?? 0;
      objects.set(key, { bytes: kept, sizeBytes: bytes.length });
      note(key);
      return "created";
    },
    async read(key, { range }) {
      const object = objects.get(key);
      if (object?.bytes === undefined) throw new GarrisonError("object-missing", `${key} is not kept`);
      if (range === undefined) return object.bytes.slice();
      return object.bytes.slice(range.offset, range.offset + range.length);
    },
    async *list(prefix, { startAfter = "" }): AsyncGenerator<StoredObject> {
      for (const folder of foldersUnder(folders, prefix)) {
        const { names } = sorted(folders.get(folder)!);
        for (let at = firstFrom(names, prefix.slice(folder.length)); at < names.length; at++) {
          const key = folder + names[at]!;
          if (!key.startsWith(prefix)) break;
          if (key > startAfter) yield { key, sizeBytes: objects.get(key)!.sizeBytes, modifiedMs: now() };
        }
      }
    },
    async *listFolders(prefix) {
      const found = new Set<string>();
      for (const folder of foldersUnder(folders, prefix)) {
        const end = folder.indexOf("/", prefix.length);
        if (end >= 0) found.add(folder.slice(0, end + 1));
      }
      yield* found;
    },
    async delete(key) {
      throw new GarrisonError("internal", `${key} is to be deleted: nothing is, in these simulations`);
    },
  };
}

function splitKey(key: string): readonly [string, string] {
  const end = key.lastIndexOf("/") + 1;
  return [key.slice(0, end), key.slice(end)];
}

function foldersUnder(folders: ReadonlyMap<string, Folder>, prefix: string): readonly string[] {
  const [own] = splitKey(prefix);
  if (own !== prefix && folders.has(own)) return [own];
  return [...folders.keys()].filter((folder) => folder.startsWith(prefix)).sort();
}

function sorted(folder: Folder): Folder {
  if (!folder.isSorted) folder.names.sort();
  folder.isSorted = true;
  return folder;
}

/** Where the names that are not smaller than `start` begin. */
function firstFrom(names: readonly string[], start: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
