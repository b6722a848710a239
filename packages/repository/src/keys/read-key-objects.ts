import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { parseKeyName } from "../format/key-marks.ts";
import { decodeWrap, maxWrapBytes, type KeyWrap } from "../format/key-wrap.ts";
import { wrapPrefix } from "../format/object-names.ts";
import type { ObjectStore, StoreCall, StoredObject } from "../store/object-store.ts";

export interface StoredWrap {
  readonly wrapId: string;
  readonly bytes: Uint8Array;
  readonly wrap: KeyWrap;
}

/** Everything under `key/`, as it lies there: what of it is authentic shows only once a wrap has been opened. */
export interface KeyObjects {
  readonly wraps: readonly StoredWrap[];
  /** Wraps that can't be read, with the reason. */
  readonly damaged: ReadonlyMap<string, string>;
  /** Marks of retired wraps, by wrap. */
  readonly marks: ReadonlyMap<string, Uint8Array>;
  /** Slots of epochs, by number. */
  readonly slots: ReadonlyMap<number, Uint8Array>;
  /** Names that are none of ours, and objects that are too large for what they are called. */
  readonly foreign: readonly { readonly name: string; readonly reason: string }[];
}

const readsAtOnce = 8;
const mostListings = 3;

/**
 * A rotation writes new wraps before it deletes the old ones: when a listed one is gone by the time it is read, another
 * listing shows what has taken its place.
 */
export async function readKeyObjects(
  dependencies: { readonly store: ObjectStore },
  call: StoreCall,
): Promise<KeyObjects> {
  for (let listing = 1; ; listing++) {
    const { objects, hasMissed } = await readListed(dependencies, call);
    if (!hasMissed || listing === mostListings) return objects;
  }
}

async function readListed(
  { store }: { readonly store: ObjectStore },
  call: StoreCall,
): Promise<{ readonly objects: KeyObjects; readonly hasMissed: boolean }> {
  let hasMissed = false;
  const found = {
    wraps: [] as StoredWrap[],
    damaged: new Map<string, string>(),
    marks: new Map<string, Uint8Array>(),
    slots: new Map<number, Uint8Array>(),
    foreign: [] as { readonly name: string; readonly reason: string }[],
  };
  const options = { concurrency: readsAtOnce, signal: call.signal };
  const listed = mapConcurrent(store.list(wrapPrefix, call), options, async (object) => ({
    key: object.key,
    bytes: await readSmall(store, object, call),
  }));
  for await (const { key, bytes } of listed) {
    const name = parseKeyName(key);
    if (bytes === goneReason(key)) hasMissed = true;
    if (name === undefined) found.foreign.push({ name: key, reason: "no object of ours has such a name" });
    else if (name.kind === "wrap") addWrap(found, name.wrapId, bytes);
    else if (typeof bytes === "string") found.foreign.push({ name: key, reason: bytes });
    else if (name.kind === "retired") found.marks.set(name.wrapId, bytes);
    else found.slots.set(name.epoch, bytes);
  }
  return { objects: found, hasMissed };
}

function addWrap(
  found: { readonly wraps: StoredWrap[]; readonly damaged: Map<string, string> },
  wrapId: string,
  bytes: Uint8Array | string,
): void {
  if (typeof bytes === "string") {
    found.damaged.set(wrapId, bytes);
    return;
  }
  try {
    found.wraps.push({ wrapId, bytes, wrap: decodeWrap(bytes, wrapPrefix + wrapId) });
  } catch (error) {
    if (!isGarrisonError(error, "object-malformed")) throw error;
    found.damaged.set(wrapId, error.message);
  }
}

/** The bytes, or why they are not read. */
async function readSmall(
  store: ObjectStore,
  object: StoredObject,
  call: StoreCall,
): Promise<Uint8Array | string> {
  if (parseKeyName(object.key) === undefined) return "not one of ours";
  if (object.sizeBytes > maxWrapBytes) return `${object.key} is too large`;
  try {
    return await store.read(object.key, call);
  } catch (error) {
    // Deleted since it was listed: another operation is at work.
    if (error instanceof GarrisonError && error.code === "object-missing") return goneReason(object.key);
    throw error;
  }
}

function goneReason(key: string): string {
  return `${key} is gone`;
}
