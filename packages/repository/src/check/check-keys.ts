import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { repositoryObjectName } from "../format/object-names.ts";
import { wrapName } from "../format/key-wrap.ts";
import type { WrapState, WrapSummary } from "../keys/list-wraps.ts";
import { readKeyObjects } from "../keys/read-key-objects.ts";
import { readRepositoryHeader } from "../keys/repository-header.ts";
import type { StoreCall } from "../store/object-store.ts";
import { isStoreNoteWhole, storeNoteName } from "../store/probe-store.ts";
import type { CheckDependencies, Finding } from "./check-plan.ts";

const told: Readonly<Partial<Record<WrapState, string>>> = {
  damaged: "this key can't be read: whoever used it is locked out",
  unproven: "nobody who holds the master keys made this key as it is, or it is older than such proofs",
  outdated: "this key was left out of a rotation: it opens nothing that was made since",
  unfinished: "this key is of a rotation that did not come to its end",
};

/**
 * Looks at what belongs to no domain: the repository's header, everything under `key/` (who can open it, and what doesn't
 * belong there), and what was noted of the store.
 */
export async function* checkKeys(
  { store, repository }: CheckDependencies,
  call: StoreCall,
): AsyncGenerator<Finding> {
  try {
    const { repositoryId } = await readRepositoryHeader(store, call);
    if (repositoryId !== repository.repositoryId) {
      throw new GarrisonError("object-damaged", `the header names another repository, ${repositoryId}`);
    }
  } catch (error) {
    if (!isGarrisonError(error) || error.retryable || error.code === "aborted") throw error;
    yield { severity: "damage", code: error.code, key: repositoryObjectName, message: error.message };
  }
  const objects = await readKeyObjects({ store }, call);
  const { wraps: keys, odd } = repository.describeKeys(objects);
  for (const key of keys) yield* judge(key);
  if (!keys.some(({ state }) => state === "current")) {
    const message = "no key is sure to open everything: add one, or print an escrow sheet, now";
    yield { severity: "damage", code: "keys-damaged", key: "key/", message };
  }
  for (const { name, reason } of odd) {
    yield { severity: "notice", code: "foreign-object", key: name, message: reason };
  }
  if (await isStoreNoteWhole(store, call)) return;
  const message = "no note of ours on the store: a prune refuses to work until it is deleted";
  yield { severity: "notice", code: "object-malformed", key: storeNoteName, message };
}

function* judge({ wrapId, state, reason }: WrapSummary): Generator<Finding> {
  const message = told[state];
  if (message === undefined) return;
  const severity = state === "damaged" ? "damage" : "notice";
  const code = state === "damaged" ? "keys-damaged" : `key-${state}`;
  const because = reason === undefined ? "" : ` (${reason})`;
  yield { severity, code, key: wrapName(wrapId), message: `${message}${because}` };
}
