import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { decodeEpochSlot, decodeRetiredMark, epochCheck, type EpochSlot } from "../format/key-marks.ts";
import { openWrap, type KeyWrap } from "../format/key-wrap.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { openOldestVersions } from "../store/oldest-versions-store.ts";
import { readKeyObjects, type KeyObjects, type StoredWrap } from "./read-key-objects.ts";
import { readRepositoryHeader } from "./repository-header.ts";
import type { RepositorySecret } from "./repository-secret.ts";
import { kindOfSecret, passwordCost, stretchSecret } from "./stretch-secret.ts";

/** The master keys, with all that lies under `key/` as it was when they were opened. */
export interface Keyring {
  readonly repositoryId: string;
  /** Of the epochs that count, first one first. */
  readonly masterKeys: readonly Uint8Array[];
  /** The newest epoch that the repository has; greater than the number of keys when these are outdated. */
  readonly newestEpoch: number;
  readonly objects: KeyObjects;
  /** The wraps that were opened. */
  readonly openedBy: ReadonlyMap<string, Opening>;
}

export interface Opening {
  /** Number of the secret that did it. */
  readonly secret: number;
  /** Of the wrap, as it was then. */
  readonly bytes: Uint8Array;
}

export interface KeyringRequest {
  readonly secrets: readonly RepositorySecret[];
  /** Try all wraps with all secrets, each of which must open one: for whoever is going to change them. */
  readonly every?: boolean;
}

interface OpenedWrap extends Opening {
  readonly wrapId: string;
  readonly masterKeys: readonly Uint8Array[];
}

/** What did not open, for the message when nothing does. */
interface Refusals {
  readonly failures: GarrisonError[];
  isRetired: boolean;
  /** Wraps of the secrets' kinds that could be tried. */
  tried: number;
}

/**
 * Opens wraps with one or several secrets. Foreign and damaged wraps are passed over; where versions are kept and nothing
 * opens, the oldest ones are tried, since whatever hides or replaces them is not ours. Throws `repository-missing`,
 * `repository-password-wrong`, `key-retired`, `keys-damaged`, or why the key service refused.
 */
export async function openKeyring(
  dependencies: { readonly store: ObjectStore },
  request: KeyringRequest,
  call: StoreCall,
): Promise<Keyring> {
  try {
    return await openPlainly(dependencies, request, call);
  } catch (error) {
    const { versions } = dependencies.store;
    if (versions === undefined || !isGarrisonError(error) || !hiddenCodes.has(error.code)) throw error;
    const store = openOldestVersions(dependencies.store, versions);
    return await openPlainly({ store }, request, call).catch(() => {
      throw error;
    });
  }
}

/** What it looks like when somebody has hidden or replaced the key objects. */
const hiddenCodes = new Set([
  "repository-missing",
  "repository-password-wrong",
  "repository-unsupported",
  "keys-damaged",
  "object-malformed",
]);

async function openPlainly(
  dependencies: { readonly store: ObjectStore },
  request: KeyringRequest,
  call: StoreCall,
): Promise<Keyring> {
  const { store } = dependencies;
  const { repositoryId } = await readRepositoryHeader(store, call);
  const objects = await readKeyObjects(dependencies, call);
  const refusals: Refusals = { failures: [], isRetired: false, tried: 0 };
  const opened: OpenedWrap[] = [];
  for await (const wrap of tryWraps({ repositoryId, objects, request, refusals }, call)) {
    if (request.every !== true && isRetired({ repositoryId, objects }, wrap)) refusals.isRetired = true;
    else opened.push(wrap);
    if (request.every !== true && isCurrent({ repositoryId, objects }, opened)) break;
  }
  const isIdle = (_secret: RepositorySecret, number: number) =>
    !opened.some(({ secret }) => secret === number);
  const isEachUsed = request.every !== true || !request.secrets.some(isIdle);
  if (!isEachUsed || opened.every((wrap) => isRetired({ repositoryId, objects }, wrap))) {
    if (isEachUsed && opened.length > 0) refusals.isRetired = true;
    throw nothingOpened(store, objects, refusals);
  }
  return joinKeyring({ repositoryId, objects }, opened);
}

interface KeyringPlace {
  readonly repositoryId: string;
  readonly objects: KeyObjects;
}

interface Attempt extends KeyringPlace {
  readonly request: KeyringRequest;
  readonly refusals: Refusals;
}

async function* tryWraps(attempt: Attempt, call: StoreCall): AsyncGenerator<OpenedWrap> {
  for (const [secret, given] of attempt.request.secrets.entries()) {
    for (const { wrapId, wrap, bytes } of inOrder(attempt.objects, given)) {
      const masterKeys = await tryWrap(attempt, { wrapId, wrap, secret: given }, call);
      if (masterKeys !== undefined) yield { wrapId, bytes, secret, masterKeys };
    }
  }
}

async function tryWrap(
  { repositoryId, refusals }: Attempt,
  tried: { readonly wrapId: string; readonly wrap: KeyWrap; readonly secret: RepositorySecret },
  call: StoreCall,
): Promise<readonly Uint8Array[] | undefined> {
  const { wrapId, wrap, secret } = tried;
  refusals.tried++;
  try {
    const stretched = await stretchSecret({ repositoryId, recipe: wrap.recipe }, secret, call);
    return stretched === undefined ? undefined : openWrap({ repositoryId, wrapId }, wrap, stretched);
  } catch (error) {
    if (!isGarrisonError(error) || error.code === "aborted" || error.code === "usage") throw error;
    refusals.failures.push(error);
    return undefined;
  }
}

/** Retired ones last; those with most keys first, so that a wrap left over from before a rotation is not the one. */
function inOrder(objects: KeyObjects, secret: RepositorySecret): readonly StoredWrap[] {
  const kind = kindOfSecret(secret);
  const rank = ({ wrapId, wrap }: StoredWrap) => [
    objects.marks.has(wrapId) ? 1 : 0,
    -wrap.epochs,
    wrap.recipe.kdf === "argon2id" && wrap.recipe.memoryKiB > passwordCost.memoryKiB ? 1 : 0,
    -(wrap.madeAtMs ?? 0),
  ];
  return objects.wraps
    .filter(({ wrap }) => wrap.recipe.kdf === kind)
    .map((stored) => ({ stored, rank: rank(stored) }))
    .sort((left, right) => compareRanks(left.rank, right.rank))
    .map(({ stored }) => stored);
}

function compareRanks(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((value, index) => value !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}

/** A mark counts only while another wrap is without one: marks alone can never lock everybody out. */
function isRetired(place: KeyringPlace, { wrapId, masterKeys }: OpenedWrap): boolean {
  const { repositoryId, objects } = place;
  const mark = objects.marks.get(wrapId);
  if (mark === undefined || !objects.wraps.some((other) => !objects.marks.has(other.wrapId))) return false;
  return decodeRetiredMark({ repositoryId, wrapId }, mark, masterKeys[0]!) !== undefined;
}

/**
 * Whether some wrap holds the keys of all epochs. One that does not may be a rotation's that was overtaken and died before it
 * took its wraps back: it looks newer than the wraps that count.
 */
function isCurrent(place: KeyringPlace, opened: readonly OpenedWrap[]): boolean {
  if (opened.length === 0) return false;
  const { masterKeys, newestEpoch } = joinKeyring(place, opened);
  return masterKeys.length === newestEpoch;
}

function joinKeyring(place: KeyringPlace, opened: readonly OpenedWrap[]): Keyring {
  const { repositoryId, objects } = place;
  const live = opened.filter((wrap) => !isRetired(place, wrap));
  const [first] = live[0]!.masterKeys;
  const own = live.filter((wrap) => Buffer.compare(wrap.masterKeys[0]!, first!) === 0);
  const counted = own.map((wrap) => wrap.masterKeys.slice(0, countEpochs(place, wrap)));
  const masterKeys = counted.reduce((best, keys) => (keys.length > best.length ? keys : best));
  const slots = [...objects.slots].filter(([epoch]) => readSlot(place, epoch, first!) !== undefined);
  return {
    repositoryId,
    objects,
    masterKeys,
    newestEpoch: Math.max(masterKeys.length, ...slots.map(([epoch]) => epoch)),
    openedBy: new Map(opened.map(({ wrapId, secret, bytes }) => [wrapId, { secret, bytes }])),
  };
}

/**
 * So many of a wrap's keys count: an epoch does once its slot holds the check of this very key. Without its slot it does
 * only when no wrap of before the rotation is left, since these are removed after the slot has been filled.
 */
function countEpochs(place: KeyringPlace, wrap: OpenedWrap): number {
  const { objects, repositoryId } = place;
  const [first] = wrap.masterKeys;
  let epoch = 1;
  for (; epoch < wrap.masterKeys.length; epoch++) {
    const slot = readSlot(place, epoch + 1, first!);
    const check = epochCheck(repositoryId, wrap.masterKeys[epoch]!);
    const hasOlder = objects.wraps.some(
      (other) => other.wrap.epochs <= epoch && !objects.marks.has(other.wrapId),
    );
    if (slot === undefined ? hasOlder : slot.check !== check) break;
  }
  return epoch;
}

function readSlot(place: KeyringPlace, epoch: number, firstMasterKey: Uint8Array): EpochSlot | undefined {
  const bytes = place.objects.slots.get(epoch);
  if (bytes === undefined) return undefined;
  try {
    return decodeEpochSlot({ repositoryId: place.repositoryId, epoch }, bytes, firstMasterKey);
  } catch (error) {
    if (isGarrisonError(error, "object-malformed")) return undefined;
    throw error;
  }
}

function nothingOpened(store: ObjectStore, objects: KeyObjects, refusals: Refusals): GarrisonError {
  const { failures, isRetired: wasRetired, tried } = refusals;
  const skipped = [...objects.damaged].map(([wrapId, reason]) => ({ wrapId, reason }));
  const named = skipped.map(({ reason }) => `; passed over: ${reason}`).join("");
  const details = { skipped };
  if (wasRetired) {
    const message = `the key of ${store.address} that opens with this secret has been retired`;
    return new GarrisonError("key-retired", message, { details });
  }
  if (failures[0] !== undefined) return failures[0];
  if (tried === 0 && (skipped.length > 0 || objects.wraps.length === 0)) {
    const message = `no key of ${store.address} that a secret of this kind opens can be read${named}`;
    return new GarrisonError("keys-damaged", message, { details });
  }
  const message = `no key of ${store.address} opens with this secret${named}`;
  return new GarrisonError("repository-password-wrong", message, { details });
}
