import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { decodeEpochSlot, encodeEpochSlot, epochCheck, epochSlotName } from "../format/key-marks.ts";
import { wrapName } from "../format/key-wrap.ts";
import { deleteObject } from "../store/delete-object.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { RemovedWrap } from "./add-wrap.ts";
import { listWraps, type WrapSummary } from "./list-wraps.ts";
import { openKeyring, type Keyring } from "./open-keyring.ts";
import type { RewrittenWrap, RotationPlan } from "./plan-rotation.ts";
import { removeWrap } from "./remove-wrap.ts";
import type { RepositorySecret } from "./repository-secret.ts";
import { writeWrap, type KeyDependencies } from "./write-wrap.ts";

export interface Rotation {
  readonly keyring: Keyring;
  readonly plan: RotationPlan;
  /** As the keyring was opened with. */
  readonly secrets: readonly RepositorySecret[];
}

export interface RotationSummary {
  readonly epoch: number;
  /** Ids of the new wraps. */
  readonly written: readonly string[];
  readonly removed: readonly RemovedWrap[];
  /** Wraps that somebody added meanwhile: they open nothing new. */
  readonly outdated: readonly WrapSummary[];
}

/**
 * Adds a key epoch. In this order: new wraps with all keys for every secret at hand; the slot of the epoch, whose
 * creation decides between rotations made at the same time, and before which the new key does not count; then the old
 * wraps go. Wherever it is interrupted, each secret opens as before or with the new key, and the next rotation finishes
 * this one. Throws `keys-not-at-hand`, `keys-conflict`.
 */
export async function rotateKeys(
  dependencies: KeyDependencies,
  rotation: Rotation,
  call: StoreCall,
): Promise<RotationSummary> {
  const { keyring, plan, secrets } = rotation;
  requireAll(plan);
  const { repositoryId } = keyring;
  const masterKeys =
    plan.kind === "finish" ? keyring.masterKeys : [...keyring.masterKeys, dependencies.random.bytes(32)];
  const written = await writeAll(dependencies, { ...rotation, masterKeys }, call);
  if (plan.kind === "rotate") {
    const isOurs = await fillSlot(dependencies, { repositoryId, masterKeys }, call);
    if (!isOurs) await withdraw(dependencies, written, call);
  }
  const after = await openKeyring(dependencies, { secrets, every: true }, call);
  if (after.masterKeys.length !== masterKeys.length) {
    throw new GarrisonError("keys-conflict", `the new keys of ${dependencies.store.address} are gone`);
  }
  const removed: RemovedWrap[] = [];
  for (const { wrapId } of [...plan.replaced, ...plan.dropped, ...plan.retired]) {
    if (!isThere(after, wrapId)) continue;
    const outcome = await removeIfThere(dependencies, { keyring: after, wrapId }, call);
    if (outcome !== undefined) removed.push({ wrapId, outcome });
  }
  const left = await openKeyring(dependencies, { secrets }, call);
  const outdated = listWraps(left).filter(({ state }) => state === "outdated");
  return { epoch: masterKeys.length, written, removed, outdated };
}

function requireAll(plan: RotationPlan): void {
  if (plan.missing.length > 0) {
    const names = plan.missing.map(({ wrapId, label, kind }) => `${wrapId} (${label ?? kind})`).join(", ");
    const details = { missing: plan.missing.map(({ wrapId }) => wrapId) };
    throw new GarrisonError("keys-not-at-hand", `the secrets of these keys are not at hand: ${names}`, {
      details,
    });
  }
}

async function writeAll(
  dependencies: KeyDependencies,
  rotation: Rotation & { readonly masterKeys: readonly Uint8Array[] },
  call: StoreCall,
): Promise<readonly string[]> {
  const { keyring, masterKeys, plan, secrets } = rotation;
  const { repositoryId } = keyring;
  const written: string[] = [];
  for (const { label, ...of } of plan.rewritten) {
    const secret = secretOf(secrets, of);
    const { wrapId } = await writeWrap(dependencies, { repositoryId, masterKeys, secret, label }, call);
    written.push(wrapId);
  }
  return written;
}

function secretOf(
  secrets: readonly RepositorySecret[],
  { secret: number, keyId }: Pick<RewrittenWrap, "secret" | "keyId">,
): RepositorySecret {
  const secret = secrets[number]!;
  return "kms" in secret && keyId !== undefined ? { kms: secret.kms, keyId } : secret;
}

/** Whether the epoch is ours; otherwise somebody else's rotation was quicker. */
async function fillSlot(
  { store, clock }: KeyDependencies,
  keys: { readonly repositoryId: string; readonly masterKeys: readonly Uint8Array[] },
  call: StoreCall,
): Promise<boolean> {
  const { repositoryId, masterKeys } = keys;
  const [first, epoch] = [masterKeys[0]!, masterKeys.length];
  const check = epochCheck(repositoryId, masterKeys.at(-1)!);
  const bytes = encodeEpochSlot({ repositoryId, epoch }, { check, madeAtMs: clock.now() }, first);
  const name = epochSlotName(epoch);
  if ((await store.create(name, bytes, call)) === "created") return true;
  const filled = await store.read(name, call);
  return decodeEpochSlot({ repositoryId, epoch }, filled, first)?.check === check;
}

/** Our key never counted: its wraps are taken back. */
async function withdraw(
  { store }: KeyDependencies,
  written: readonly string[],
  call: StoreCall,
): Promise<never> {
  for (const wrapId of written) {
    await deleteObject(store, wrapName(wrapId), call).catch((error: unknown) => {
      if (isGarrisonError(error, "aborted")) throw error;
    });
  }
  throw new GarrisonError(
    "keys-conflict",
    `another rotation of ${store.address} was quicker, or its slot is foreign`,
  );
}

/** Nothing, if another rotation has finished the same one meanwhile, and was quicker here. */
async function removeIfThere(
  dependencies: KeyDependencies,
  wrap: { readonly keyring: Keyring; readonly wrapId: string },
  call: StoreCall,
): Promise<RemovedWrap["outcome"] | undefined> {
  try {
    return await removeWrap(dependencies, wrap, call);
  } catch (error) {
    if (isGarrisonError(error, "key-unknown")) return undefined;
    throw error;
  }
}

function isThere({ objects }: Keyring, wrapId: string): boolean {
  return objects.damaged.has(wrapId) || objects.wraps.some((wrap) => wrap.wrapId === wrapId);
}
