import { GarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore, StoredObject } from "../store/object-store.ts";
import type { KeptBytes } from "./kept-bytes.ts";

/** Objects that are there by rule: listed, counted, and never held. Names of a folder that begin alike. */
export interface RuledObjects {
  /** Ends with a slash. */
  readonly folder: string;
  /** What all their names begin with, and no other name of the folder. */
  readonly begin: string;
  /** In the order of their names. */
  list(): Iterable<{ readonly name: string; readonly sizeBytes: number }>;
  find(name: string): number | undefined;
}

export interface ScaleStore extends ObjectStore {
  addRuled(objects: RuledObjects): void;
  /** Objects of the rules that were to be deleted. */
  readonly ruledDeletes: () => number;
  readonly bytesKept: () => number;
  /** What is held, for another process to go on with; bytes stay where they are kept. */
  save(): readonly SavedObject[];
}

/** Key, size, and where its bytes are; nothing for a data pack. */
export type SavedObject = readonly [key: string, sizeBytes: number, at: number | null];

interface Held {
  readonly sizeBytes: number;
  readonly at: number | undefined;
}

interface Folder {
  readonly objects: Map<string, Held>;
  names: string[] | undefined;
  /** Sizes of data packs by lane: their bytes are forgotten. */
  readonly lanes: Map<string, PackLane>;
  readonly ruled: RuledObjects[];
}

interface PackLane {
  sizes: Uint32Array;
  length: number;
}

export interface ScaleStoreOptions {
  readonly now: () => number;
  readonly bytes: KeptBytes;
  readonly saved?: readonly SavedObject[];
}

/** A store that finds its objects by folder, and of data packs keeps four bytes each. */
export function openScaleStore({ now, bytes, saved = [] }: ScaleStoreOptions): ScaleStore {
  const folders = new FolderList();
  let [bytesKept, ruledDeletes] = [0, 0];
  for (const [key, sizeBytes, at] of saved) put(folders, key, { sizeBytes, at: at ?? undefined });
  return {
    address: "scale:",
    bytesKept: () => bytesKept,
    ruledDeletes: () => ruledDeletes,
    addRuled: (objects) => void folders.make(objects.folder).ruled.push(objects),
    save: () => [...folders.held()],
    async create(key, content) {
      if (findIn(folders, key) !== undefined) return "exists";
      const isForgotten = packPattern.test(key);
      bytesKept += isForgotten ? 0 : content.length;
      put(folders, key, { sizeBytes: content.length, at: isForgotten ? undefined : bytes.append(content) });
      return "created";
    },
    async read(key, { range }) {
      const held = findIn(folders, key);
      if (held?.at === undefined) throw new GarrisonError("object-missing", `${key} is not kept`);
      const { offset = 0, length = held.sizeBytes } = range ?? {};
      return bytes.read(held.at + offset, Math.min(length, held.sizeBytes - offset));
    },
    async *list(prefix, { startAfter = "" }): AsyncGenerator<StoredObject> {
      const modifiedMs = now();
      for (const folder of folders.under(prefix)) {
        for (const { name, sizeBytes } of namesIn(folders.make(folder), prefix.slice(folder.length))) {
          const key = folder + name;
          if (key > startAfter && key.startsWith(prefix)) yield { key, sizeBytes, modifiedMs };
        }
      }
    },
    async *listFolders(prefix) {
      const found = new Set<string>();
      for (const folder of folders.under(prefix)) {
        const end = folder.indexOf("/", prefix.length);
        if (end >= 0) found.add(folder.slice(0, end + 1));
      }
      yield* found;
    },
    async delete(key) {
      const [folder, name] = splitKey(key);
      const found = folders.find(folder);
      if (found?.objects.delete(name) === true) found.names = undefined;
      else ruledDeletes++;
    },
  };
}

const packPattern = /\/pack\/[0-9a-f]{16}\/([0-9a-f]{8})-([0-9a-f]{8})$/;

function splitKey(key: string): readonly [string, string] {
  const end = key.lastIndexOf("/") + 1;
  return [key.slice(0, end), key.slice(end)];
}

/** Folders by name, in their order. */
class FolderList {
  readonly #folders = new Map<string, Folder>();
  readonly #names: string[] = [];

  make(name: string): Folder {
    const known = this.#folders.get(name);
    if (known !== undefined) return known;
    const folder: Folder = { objects: new Map(), names: undefined, lanes: new Map(), ruled: [] };
    this.#folders.set(name, folder);
    this.#names.splice(firstFrom(this.#names, name), 0, name);
    return folder;
  }

  find(name: string): Folder | undefined {
    return this.#folders.get(name);
  }

  /** The folder that objects of this prefix lie in, and those whose names begin with it. */
  *under(prefix: string): Generator<string> {
    const [own] = splitKey(prefix);
    if (own !== prefix && this.#folders.has(own)) yield own;
    const first = firstFrom(this.#names, prefix);
    // What is created meanwhile comes behind, as in a store whose listing takes time.
    const names = this.#names.slice(first, first + this.#count(first, prefix));
    yield* names;
  }

  *held(): Generator<SavedObject> {
    for (const [folder, { objects }] of this.#folders)
      for (const [name, { sizeBytes, at }] of objects) yield [folder + name, sizeBytes, at ?? null];
  }

  #count(first: number, prefix: string): number {
    let end = first;
    while (end < this.#names.length && this.#names[end]!.startsWith(prefix)) end++;
    return end - first;
  }
}

function put(folders: FolderList, key: string, held: Held): void {
  const [folder, name] = splitKey(key);
  const found = folders.make(folder);
  const [, lane, number] = packPattern.exec(key) ?? [];
  if (lane !== undefined) return putPack(found, { lane, number: Number.parseInt(number!, 16) }, held);
  found.objects.set(name, held);
  const { names } = found;
  if (names === undefined || names.length === 0 || name > names.at(-1)!) names?.push(name);
  else found.names = undefined;
}

function putPack(
  folder: Folder,
  { lane, number }: { readonly lane: string; readonly number: number },
  { sizeBytes }: Held,
): void {
  const known = folder.lanes.get(lane) ?? { sizes: new Uint32Array(16), length: 0 };
  folder.lanes.set(lane, known);
  if (number >= known.sizes.length) {
    const larger = new Uint32Array(Math.max(number + 1, Math.ceil(known.sizes.length * 1.5)));
    larger.set(known.sizes);
    known.sizes = larger;
  }
  known.sizes[number] = sizeBytes;
  known.length = Math.max(known.length, number + 1);
}

function findIn(folders: FolderList, key: string): Held | undefined {
  const [name, found] = [splitKey(key)[1], folders.find(splitKey(key)[0])];
  if (found === undefined) return undefined;
  const held = found.objects.get(name);
  if (held !== undefined) return held;
  const [lane, number] = name.split("-");
  const packSize = found.lanes.get(lane!)?.sizes[Number.parseInt(number ?? "", 16)] ?? 0;
  const ruled = found.ruled.find((each) => name.startsWith(each.begin))?.find(name);
  const sizeBytes = packSize > 0 ? packSize : ruled;
  return sizeBytes === undefined ? undefined : { sizeBytes, at: undefined };
}

interface NamedSize {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Names of a folder that may begin with `start`, in their order. */
function* namesIn(folder: Folder, start: string): Generator<NamedSize> {
  folder.names ??= [...folder.objects.keys()].sort();
  const names = [...folder.names];
  const groups = [
    ...[...folder.lanes].map(([lane, packs]) => ({
      begin: `${lane}-`,
      list: () => packNames(`${lane}-`, packs, start),
    })),
    ...folder.ruled.map(({ begin, list, find }) => ({
      begin,
      list: () => {
        const sizeBytes = start.length > begin.length ? find(start) : undefined;
        return sizeBytes === undefined ? list() : [{ name: start, sizeBytes }];
      },
    })),
  ].sort((left, right) => (left.begin < right.begin ? -1 : 1));
  let at = firstFrom(names, start);
  for (const { begin, list } of groups) {
    for (; at < names.length && names[at]! < begin; at++) yield sizeOf(folder, names[at]!);
    if (begin.startsWith(start) || start.startsWith(begin)) yield* list();
  }
  for (; at < names.length && names[at]!.startsWith(start); at++) yield sizeOf(folder, names[at]!);
}

function sizeOf(folder: Folder, name: string): NamedSize {
  return { name, sizeBytes: folder.objects.get(name)?.sizeBytes ?? 0 };
}

function* packNames(begin: string, { sizes, length }: PackLane, start: string): Generator<NamedSize> {
  const wanted = start.length === begin.length + 8 ? Number.parseInt(start.slice(-8), 16) : undefined;
  const end = wanted === undefined ? length : Math.min(length, wanted + 1);
  for (let number = wanted ?? 0; number < end; number++) {
    const sizeBytes = sizes[number]!;
    if (sizeBytes > 0) yield { name: begin + number.toString(16).padStart(8, "0"), sizeBytes };
  }
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
