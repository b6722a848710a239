import { GarrisonError } from "@garrison/core/garrison-error";
import { listWraps, type WrapSummary } from "./list-wraps.ts";
import type { Keyring } from "./open-keyring.ts";
import { requireCurrentKeys } from "./require-current-keys.ts";

/** A secret at hand, for which a wrap with all keys is going to be written. */
export interface RewrittenWrap {
  /** Number of the secret. */
  readonly secret: number;
  readonly label: string;
  /** Of the KMS key. */
  readonly keyId?: string;
}

/** What a rotation is going to do; plain data, to be shown first. */
export interface RotationPlan {
  /** `finish`: an earlier rotation was interrupted, or left wraps out; no further epoch is added. */
  readonly kind: "rotate" | "finish";
  /** The newest epoch when it is done. */
  readonly epoch: number;
  readonly rewritten: readonly RewrittenWrap[];
  /** Wraps that are removed because their secrets get a new one. */
  readonly replaced: readonly WrapSummary[];
  /** Wraps that are removed because the caller names them. */
  readonly dropped: readonly WrapSummary[];
  /** Wraps that were retired before: perhaps they can be deleted now. */
  readonly retired: readonly WrapSummary[];
  /** Wraps that can't be rewritten, as their secrets are not at hand, and that nobody has dropped. */
  readonly missing: readonly WrapSummary[];
}

/** Throws `key-unknown` when a wrap to be dropped isn't there, `keys-outdated`. */
export function planRotation(
  keyring: Keyring,
  options: { readonly drop?: readonly string[] } = {},
): RotationPlan {
  const drop = options.drop ?? [];
  const epochs = keyring.masterKeys.length;
  requireCurrentKeys({ ...keyring, epoch: epochs });
  const wraps = listWraps(keyring);
  const live = wraps.filter(({ state }) => state !== "retired");
  const unknown = drop.find((wrapId) => !live.some((wrap) => wrap.wrapId === wrapId));
  if (unknown !== undefined) throw new GarrisonError("key-unknown", `the repository has no key ${unknown}`);
  const isUnfinished = live.some((wrap) => wrap.epochs !== undefined && wrap.epochs < epochs);
  const kind = isUnfinished ? "finish" : "rotate";
  const epoch = isUnfinished ? epochs : epochs + 1;
  // What is whole already needs nothing; a wrap of a later epoch may be of a rotation that is going on.
  const open = live.filter((wrap) => kind === "rotate" || (wrap.epochs ?? 0) < epoch);
  const dropped = live.filter(({ wrapId }) => drop.includes(wrapId));
  const kept = open.filter(({ wrapId }) => !drop.includes(wrapId));
  const replaced = kept.filter((wrap) => wrap.isAtHand);
  const whole = kind === "finish" ? live.filter((wrap) => wrap.epochs === epoch) : [];
  return {
    kind,
    epoch,
    rewritten: rewrite(keyring, { kept: replaced, whole }),
    replaced,
    dropped,
    retired: wraps.filter(({ state }) => state === "retired"),
    missing: kept.filter((wrap) => !wrap.isAtHand),
  };
}

/** One new wrap for each secret (and KMS key) that has no whole one yet, under the newest label. */
function rewrite(
  keyring: Keyring,
  wraps: { readonly kept: readonly WrapSummary[]; readonly whole: readonly WrapSummary[] },
): readonly RewrittenWrap[] {
  const ownerOf = (wrap: WrapSummary) => `${keyring.openedBy.get(wrap.wrapId)?.secret} ${wrap.keyId ?? ""}`;
  const done = new Set(wraps.whole.filter((wrap) => wrap.isAtHand).map(ownerOf));
  const found = new Map<string, RewrittenWrap>();
  for (const wrap of wraps.kept) {
    const { label = "", keyId } = wrap;
    const { secret } = keyring.openedBy.get(wrap.wrapId)!;
    const rewritten = { secret, label, ...(keyId === undefined ? {} : { keyId }) };
    if (!done.has(ownerOf(wrap))) found.set(ownerOf(wrap), rewritten);
  }
  return [...found.values()];
}
