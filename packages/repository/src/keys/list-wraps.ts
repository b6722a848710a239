import { isGarrisonError } from "@garrison/core/garrison-error";
import { decodeRetiredMark } from "../format/key-marks.ts";
import type { WrapKind } from "../format/key-wrap.ts";
import type { Keyring } from "./open-keyring.ts";
import type { StoredWrap } from "./read-key-objects.ts";
import { isProven } from "./remove-wrap.ts";

/**
 * `current`: it opens everything. `outdated`: it was left out of a rotation and opens only what was made before.
 * `unfinished`: of a rotation that did not come to its end. `retired`: it no longer counts, but could not be deleted.
 * `unproven`: no holder of the keys made it as it is, or it is older than such proofs and its secret isn't at hand.
 * `damaged`: it can't be read.
 */
export type WrapState = "current" | "outdated" | "unfinished" | "retired" | "unproven" | "damaged";

export interface WrapSummary {
  readonly wrapId: string;
  readonly kind: "password" | "secret" | "kms" | "unknown";
  readonly state: WrapState;
  /** Whether a secret at hand opens it. */
  readonly isAtHand: boolean;
  readonly epochs?: number;
  readonly madeAtMs?: number;
  readonly label?: string;
  /** ARN of the KMS key. */
  readonly keyId?: string;
  readonly retiredAtMs?: number;
  readonly reason?: string;
}

const kindNames: Readonly<Record<WrapKind, WrapSummary["kind"]>> = {
  argon2id: "password",
  secret: "secret",
  kms: "kms",
};

/** All wraps as they were when the keyring was opened, oldest first. */
export function listWraps(keyring: Keyring): readonly WrapSummary[] {
  const readable = keyring.objects.wraps.map((stored) => summarise(keyring, stored));
  const damaged = [...keyring.objects.damaged].map(([wrapId, reason]): WrapSummary => ({
    wrapId,
    kind: "unknown",
    state: "damaged",
    isAtHand: false,
    reason,
  }));
  return [...readable, ...damaged].sort(
    (left, right) => (left.madeAtMs ?? 0) - (right.madeAtMs ?? 0) || (left.wrapId < right.wrapId ? -1 : 1),
  );
}

function summarise(keyring: Keyring, stored: StoredWrap): WrapSummary {
  const { wrapId, wrap } = stored;
  const { recipe, epochs, madeAtMs, label } = wrap;
  const retiredAtMs = readRetiredAt(keyring, wrapId);
  return {
    wrapId,
    kind: kindNames[recipe.kdf],
    state: retiredAtMs === undefined ? stateOf(keyring, stored) : "retired",
    isAtHand: keyring.openedBy.has(wrapId),
    epochs,
    ...(madeAtMs === undefined ? {} : { madeAtMs }),
    ...(label === undefined || label === "" ? {} : { label }),
    ...(recipe.kdf === "kms" ? { keyId: recipe.keyId } : {}),
    ...(retiredAtMs === undefined ? {} : { retiredAtMs }),
  };
}

function stateOf(keyring: Keyring, stored: StoredWrap): WrapState {
  if (!isProven(keyring, stored)) return "unproven";
  if (stored.wrap.epochs > keyring.newestEpoch) return "unfinished";
  return stored.wrap.epochs < keyring.newestEpoch ? "outdated" : "current";
}

function readRetiredAt(keyring: Keyring, wrapId: string): number | undefined {
  const { repositoryId, masterKeys, objects } = keyring;
  const mark = objects.marks.get(wrapId);
  if (mark === undefined) return undefined;
  try {
    return decodeRetiredMark({ repositoryId, wrapId }, mark, masterKeys[0]!)?.retiredAtMs;
  } catch (error) {
    if (isGarrisonError(error, "object-malformed")) return undefined;
    throw error;
  }
}
