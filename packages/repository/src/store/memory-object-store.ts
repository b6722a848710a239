import type { Clock } from "@garrison/core/clock";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore, StoredObject } from "./object-store.ts";

interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
}

/** The objects of a memory store by key; tests may damage them. */
export type MemoryObjects = Map<string, MemoryObject>;

/** A store in memory, as strict as S3: for tests, simulations and nothing else. */
export function openMemoryObjectStore(
  clock: Clock,
  objects: MemoryObjects = new Map(),
): ObjectStore & { readonly objects: MemoryObjects } {
  const sortedKeys = (prefix: string) =>
    [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareBytes);
  return {
    address: "memory:",
    objects,
    async create(key, bytes, call) {
      throwIfAborted(call.signal);
      if (objects.has(key)) return "exists";
      objects.set(key, { bytes: new Uint8Array(bytes), modifiedMs: Math.floor(clock.now() / 1000) * 1000 });
      return "created";
    },
    async read(key, call) {
      throwIfAborted(call.signal);
      const object = objects.get(key);
      if (object === undefined) throw new GarrisonError("object-missing", `${key} is not there`);
      const range = call.range ?? { offset: 0, length: object.bytes.length };
      if (range.offset + range.length > object.bytes.length) {
        throw new GarrisonError("object-truncated", `${key} ends before byte ${range.offset + range.length}`);
      }
      return object.bytes.slice(range.offset, range.offset + range.length);
    },
    async *list(prefix, call) {
      for (const key of sortedKeys(prefix)) {
        throwIfAborted(call.signal);
        if (call.startAfter !== undefined && compareBytes(key, call.startAfter) <= 0) continue;
        const object = objects.get(key);
        if (object !== undefined) yield describe(key, object);
      }
    },
    async *listFolders(prefix, call) {
      const names = new Set<string>();
      for (const key of sortedKeys(prefix)) {
        const end = key.indexOf("/", prefix.length);
        if (end >= 0) names.add(key.slice(0, end + 1));
      }
      for (const name of names) {
        throwIfAborted(call.signal);
        yield name;
      }
    },
    async delete(key, call) {
      throwIfAborted(call.signal);
      objects.delete(key);
    },
  };
}

function describe(key: string, object: MemoryObject): StoredObject {
  return { key, sizeBytes: object.bytes.length, modifiedMs: object.modifiedMs };
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
