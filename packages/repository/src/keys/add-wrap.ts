import { GarrisonError } from "@garrison/core/garrison-error";
import { decodeEpochSlot } from "../format/key-marks.ts";
import { wrapName } from "../format/key-wrap.ts";
import { deleteObject } from "../store/delete-object.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { Keyring } from "./open-keyring.ts";
import { readKeyObjects } from "./read-key-objects.ts";
import { removeWrap, type RemoveOutcome } from "./remove-wrap.ts";
import { requireCurrentKeys } from "./require-current-keys.ts";
import { writeWrap, type KeyDependencies, type NewSecret } from "./write-wrap.ts";

/**
 * Lets another secret open the repository; answers the new wrap's id. Throws `keys-outdated` when the keys at hand are
 * not the newest, `keys-conflict` when they were rotated meanwhile.
 */
export async function addWrap(
  dependencies: KeyDependencies,
  { keyring, ...wanted }: NewSecret & { readonly keyring: Keyring },
  call: StoreCall,
): Promise<string> {
  const { repositoryId, masterKeys } = keyring;
  requireCurrentKeys({ ...keyring, epoch: masterKeys.length });
  const { wrapId } = await writeWrap(dependencies, { ...wanted, repositoryId, masterKeys }, call);
  const { slots } = await readKeyObjects(dependencies, call);
  const isOvertaken = [...slots].some(
    ([epoch, bytes]) =>
      epoch > masterKeys.length &&
      decodeEpochSlot({ repositoryId, epoch }, bytes, masterKeys[0]!) !== undefined,
  );
  if (!isOvertaken) return wrapId;
  await deleteObject(dependencies.store, wrapName(wrapId), call);
  throw new GarrisonError("keys-conflict", `the keys of ${dependencies.store.address} have been rotated`);
}

export interface RemovedWrap {
  readonly wrapId: string;
  readonly outcome: RemoveOutcome;
}

export interface ChangedSecret {
  readonly added: string;
  readonly removed: readonly RemovedWrap[];
}

/**
 * Puts a new secret in the place of the one (or those) that the keyring was opened with, all their wraps included: first
 * the new wrap, then the old ones go. At any interruption the old secret or the new one opens. It revokes nothing for
 * someone who has kept both an old secret and its wrap.
 */
export async function changeSecret(
  dependencies: KeyDependencies,
  wanted: NewSecret & { readonly keyring: Keyring },
  call: StoreCall,
): Promise<ChangedSecret> {
  const { keyring } = wanted;
  const added = await addWrap(dependencies, wanted, call);
  const removed: RemovedWrap[] = [];
  for (const wrapId of keyring.openedBy.keys()) {
    removed.push({ wrapId, outcome: await removeWrap(dependencies, { keyring, wrapId }, call) });
  }
  return { added, removed };
}
