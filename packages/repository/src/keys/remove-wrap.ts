import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { decodeRetiredMark, encodeRetiredMark, retiredName } from "../format/key-marks.ts";
import { isAuthenticWrap, wrapName } from "../format/key-wrap.ts";
import { deleteObject } from "../store/delete-object.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { readIfThere } from "../store/read-if-there.ts";
import type { Keyring } from "./open-keyring.ts";
import { readKeyObjects, type KeyObjects } from "./read-key-objects.ts";
import { requireCurrentKeys } from "./require-current-keys.ts";
import type { KeyDependencies } from "./write-wrap.ts";

const attemptsToMark = 5;

/** `retired`: the store refuses to delete it (a lock), and a mark says that it doesn't count any more. */
export type RemoveOutcome = "deleted" | "retired";

/**
 * Removes a wrap. The mark comes first, then a second look at what is left, then the deletion: of two people who each
 * remove one of the last two wraps at the same time, at most one succeeds. Throws `key-unknown`, `key-last`.
 */
export async function removeWrap(
  dependencies: Omit<KeyDependencies, "random">,
  { keyring, wrapId }: { readonly keyring: Keyring; readonly wrapId: string },
  call: StoreCall,
): Promise<RemoveOutcome> {
  const { store, clock } = dependencies;
  requireCurrentKeys({ ...keyring, epoch: keyring.masterKeys.length });
  const before = await readKeyObjects(dependencies, call);
  if (!before.damaged.has(wrapId) && !before.wraps.some((wrap) => wrap.wrapId === wrapId)) {
    throw new GarrisonError("key-unknown", `${store.address} has no key ${wrapId}`);
  }
  requireAnother(store, { keyring, objects: before }, wrapId);
  await retire({ store, keyring, retiredAtMs: clock.now() }, wrapId, call);
  try {
    const objects = await readKeyObjects(dependencies, call);
    requireAnother(store, { keyring, objects }, wrapId);
  } catch (error) {
    if (isGarrisonError(error, "key-last")) await deleteObject(store, retiredName(wrapId), call);
    throw error;
  }
  return deleteMarked(store, wrapId, call);
}

async function retire(
  owner: { readonly store: ObjectStore; readonly keyring: Keyring; readonly retiredAtMs: number },
  wrapId: string,
  call: StoreCall,
): Promise<void> {
  const { store, keyring, retiredAtMs } = owner;
  const place = { repositoryId: keyring.repositoryId, wrapId };
  const first = keyring.masterKeys[0]!;
  const name = retiredName(wrapId);
  const bytes = encodeRetiredMark(place, { retiredAtMs }, first);
  // A mark that is in the way and gone again was somebody else's, who has removed the wrap or let it be meanwhile.
  for (let attempt = 0; attempt < attemptsToMark; attempt += 1) {
    if ((await store.create(name, bytes, call)) === "created") return;
    const known = await readIfThere(store, name, call);
    if (known === undefined) continue;
    if (decodeRetiredMark(place, known, first) !== undefined) return;
    throw new GarrisonError(
      "object-damaged",
      `${name} is not authentic: delete it, then remove the key again`,
    );
  }
  throw new GarrisonError("keys-conflict", `others are removing ${wrapId} from ${store.address}, too`);
}

async function deleteMarked(store: ObjectStore, wrapId: string, call: StoreCall): Promise<RemoveOutcome> {
  try {
    await deleteObject(store, wrapName(wrapId), call);
  } catch (error) {
    if (!isGarrisonError(error) || error.code === "aborted" || error.retryable) throw error;
    return "retired";
  }
  // Without its wrap a mark means nothing: it may stay if the store wants it to.
  await deleteObject(store, retiredName(wrapId), call).catch(() => undefined);
  return "deleted";
}

/** At least one other wrap must be sure to open: opened by now, or made by a holder of the keys, with all epochs. */
function requireAnother(
  store: ObjectStore,
  { keyring, objects }: { readonly keyring: Keyring; readonly objects: KeyObjects },
  wrapId: string,
): void {
  const isSure = objects.wraps.some(
    (other) =>
      other.wrapId !== wrapId &&
      !objects.marks.has(other.wrapId) &&
      other.wrap.epochs === keyring.masterKeys.length &&
      isProven(keyring, other),
  );
  if (isSure) return;
  throw new GarrisonError("key-last", `${wrapId} is the last key that surely opens ${store.address}`);
}

export function isProven(
  keyring: Pick<Keyring, "repositoryId" | "masterKeys" | "openedBy">,
  { wrapId, bytes }: { readonly wrapId: string; readonly bytes: Uint8Array },
): boolean {
  const { repositoryId, masterKeys, openedBy } = keyring;
  const opening = openedBy.get(wrapId);
  const isSame = opening !== undefined && Buffer.compare(opening.bytes, bytes) === 0;
  return isSame || isAuthenticWrap({ repositoryId, wrapId }, bytes, masterKeys[0]!);
}
