import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { formatJson } from "../format/json-fields.ts";
import { endName, pointName, seriesHash } from "../format/object-names.ts";
import { encodeObject } from "../format/sealed-object.ts";
import type { SessionBase } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { CreateOutcome, ObjectStore, StoreCall } from "../store/object-store.ts";
import { requirePromiseOver } from "./require-promise-over.ts";
import { signObject, type KeeperDependencies } from "./sign-object.ts";

export interface SessionAddress {
  readonly series: string;
  readonly sessionId: string;
}

/**
 * Declares by its own writer that a session will never commit, so that its space is free at once. A slot that is filled
 * already stays as it is (`exists`).
 */
export async function giveUpSession(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys; readonly random: Random },
  address: SessionAddress,
  call: StoreCall,
): Promise<CreateOutcome> {
  const { keys, random, store } = dependencies;
  const name = pointName(keys.domain, seriesHash(keys, address.series), address.sessionId);
  const body = formatJson({ session: address.sessionId });
  return store.create(name, encodeObject(keys, random, { name, kind: "given-up", body }), call);
}

/** Declares a session dead from outside. `exists` means that it committed or ended before. */
export async function fenceSession(
  keeper: KeeperDependencies,
  address: SessionAddress,
  call: StoreCall,
): Promise<CreateOutcome> {
  const slot = { series: seriesHash(keeper.keys, address.series), session: address.sessionId };
  return fenceSlot(keeper, slot, call);
}

/** As `fenceSession`, by the slot's own names. */
export async function fenceSlot(
  keeper: KeeperDependencies,
  slot: SessionBase,
  call: StoreCall,
): Promise<CreateOutcome> {
  const name = pointName(keeper.keys.domain, slot.series, slot.session);
  const body = { session: slot.session };
  return keeper.store.create(name, signObject(keeper, { name, kind: "fence", body }), call);
}

/**
 * Ends a restore point, for good. Its bytes are reclaimed by a later prune. Throws `point-promised` before the date that
 * the point promises to stay until, and what is wrong with its record: then nobody knows what it promises.
 */
export async function endPoint(
  keeper: KeeperDependencies & { readonly clock: Clock },
  address: SessionAddress,
  call: StoreCall,
): Promise<void> {
  if (!/^[0-9a-f]{16}$/.test(address.sessionId)) {
    throw new GarrisonError("usage", `"${address.sessionId}" is no restore point's id`);
  }
  const slot = { series: seriesHash(keeper.keys, address.series), session: address.sessionId };
  await requirePromiseOver(keeper, slot, call);
  await endSlot(keeper, slot, call);
}

/** Writes a tombstone, whatever the slot holds or held, by the slot's own names. */
export async function endSlot(keeper: KeeperDependencies, slot: SessionBase, call: StoreCall): Promise<void> {
  const name = endName(keeper.keys.domain, slot.series, slot.session);
  const body = { session: slot.session };
  await keeper.store.create(name, signObject(keeper, { name, kind: "tombstone", body }), call);
}
