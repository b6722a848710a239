import type { Clock } from "@garrison/core/clock";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ByteRange, ObjectStore, StoredObject } from "./object-store.ts";

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
      return readWithin(key, objects.get(key)?.bytes, call.range);
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

/** A copy of an object's bytes or of a range of them, refused as a store refuses it. */
export function readWithin(
  key: string,
  bytes: Uint8Array | undefined,
  range: ByteRange | undefined,
): Uint8Array {
  if (bytes === undefined) throw new GarrisonError("object-missing", `${key} is not there`);
  const { offset, length } = range ?? { offset: 0, length: bytes.length };
  if (offset + length > bytes.length) {
    throw new GarrisonError("object-truncated", `${key} ends before byte ${offset + length}`);
  }
  return bytes.slice(offset, offset + length);
}

export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
