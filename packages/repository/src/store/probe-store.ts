import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { Clock } from "@garrison/core/clock";
import type { Random } from "@garrison/core/random";
import { parseJson } from "../format/json-fields.ts";
import type { ObjectStore, StoreCall } from "./object-store.ts";

/** What is known of a store after its probe. */
export interface StoreTraits {
  /**
   * `unsorted`: it lists in no order (as S3's directory buckets do). Backups and restores don't mind; a prune, which
   * joins listings by their order, does: objects of such a store are deleted by hand, with it alone.
   */
  readonly listing: "sorted" | "unsorted";
}

export interface ProbeDependencies {
  readonly store: ObjectStore;
  readonly random: Random;
  readonly clock: Clock;
}

export const storeNoteName = "probe/noted";
const noteFormat = "garrison-probe";

/** What the store was found to be when it was probed; it is probed now if that never happened. */
export async function loadStoreTraits(
  dependencies: ProbeDependencies,
  call: StoreCall,
): Promise<StoreTraits> {
  const noted = await readNote(dependencies.store, call);
  if (noted !== undefined) return noted;
  const traits = await probeStore(dependencies, call);
  const note = { format: noteFormat, listing: traits.listing, probedAtMs: dependencies.clock.now() };
  await dependencies.store.create(storeNoteName, Buffer.from(JSON.stringify(note)), call);
  return traits;
}

async function readNote(store: ObjectStore, call: StoreCall): Promise<StoreTraits | undefined> {
  try {
    const note = JSON.parse(Buffer.from(await store.read(storeNoteName, call)).toString("utf8")) as {
      readonly listing?: unknown;
    };
    // Whatever else it says, only "sorted" lets a prune trust the order.
    return { listing: note.listing === "sorted" ? "sorted" : "unsorted" };
  } catch (error) {
    if (error instanceof SyntaxError) return { listing: "unsorted" };
    if (isGarrisonError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** Whether what was noted of the store is as we write it, or not there: then the store is probed again when it has to be. */
export async function isStoreNoteWhole(store: ObjectStore, call: StoreCall): Promise<boolean> {
  try {
    const note = parseJson(await store.read(storeNoteName, call), storeNoteName);
    const isKnown = ["sorted", "unsorted"].includes(note.text("listing"));
    return isKnown && note.text("format") === noteFormat && note.count("probedAtMs") >= 0;
  } catch (error) {
    if (isGarrisonError(error, "object-missing")) return true;
    if (isGarrisonError(error, "object-malformed")) return false;
    throw error;
  }
}

/**
 * Sees whether the store keeps the promises that everything rests on: a second conditional creation is refused and changes
 * nothing, and fresh objects are listed at once. Throws `store-unsuitable`. Answers what may be one way or the other.
 */
export async function probeStore(
  dependencies: Pick<ProbeDependencies, "store" | "random">,
  call: StoreCall,
): Promise<StoreTraits> {
  const { store } = dependencies;
  const prefix = `probe/${Buffer.from(dependencies.random.bytes(8)).toString("hex")}`;
  // Made in another order than they have to be listed in.
  const keys = ["b", "a/z", "a-z", "c"].map((name) => `${prefix}/${name}`);
  try {
    for (const key of keys) await store.create(key, Buffer.from("first"), call);
    const listed: string[] = [];
    for await (const object of store.list(`${prefix}/`, call)) listed.push(object.key);
    if (keys.some((key) => !listed.includes(key)))
      throw unsuitable(store, "a fresh object is not listed at once");
    await probeCreation(store, keys[0]!, call);
    const sorted = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    return { listing: listed.join() === sorted.join() ? "sorted" : "unsorted" };
  } finally {
    // Where nothing may be deleted (locks, or no right to), a few bytes stay.
    for (const key of keys) await store.delete(key, call).catch(() => undefined);
  }
}

async function probeCreation(store: ObjectStore, key: string, call: StoreCall): Promise<void> {
  const second = await store.create(key, Buffer.from("other"), call);
  const kept = await store.read(key, call);
  if (second === "exists" && Buffer.from(kept).toString() === "first") return;
  throw unsuitable(store, "a second conditional creation of one name is not refused");
}

function unsuitable(store: ObjectStore, reason: string): GarrisonError {
  return new GarrisonError("store-unsuitable", `${store.address}: ${reason}`);
}
