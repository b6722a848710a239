import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { endName, pointName, seriesHash } from "../format/object-names.ts";
import { decodeRecord, type PointRecord } from "../format/point-record.ts";
import { decodeObject, readSignedBody, type OpenedObject } from "../format/sealed-object.ts";
import { decodeMoves, type SessionMoves } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { readIfThere } from "../store/read-if-there.ts";

export interface SlotDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
}

/** A slot by its keyed names. */
export interface SlotAddress {
  /** The series' keyed hash. */
  readonly series: string;
  readonly session: string;
}

export type SlotContent = {
  readonly bytes: Uint8Array;
  /** Key epoch of the session. */
  readonly epoch: number;
} & (
  | { readonly state: "point"; readonly record: PointRecord }
  | { readonly state: "given-up" | "fence" }
  | { readonly state: "moves"; readonly moves: SessionMoves }
);

/** What fills a session's slot, or nothing. Throws `object-damaged` when it is not authentic. */
export async function readSlot(
  dependencies: SlotDependencies,
  address: SlotAddress,
  call: StoreCall,
): Promise<SlotContent | undefined> {
  const { keys, store } = dependencies;
  const bytes = await readIfThere(store, pointName(keys.domain, address.series, address.session), call);
  return bytes === undefined ? undefined : decodeSlot(keys, address, bytes);
}

/** Throws `object-damaged` or `object-malformed` for what no writer and no keeper of this domain made for this slot. */
export function decodeSlot(keys: DomainKeys, address: SlotAddress, bytes: Uint8Array): SlotContent {
  const name = pointName(keys.domain, address.series, address.session);
  const object = decodeObject(keys, name, bytes);
  const { epoch } = object;
  if (object.kind === "record") {
    return { state: "point", record: decodeOwnRecord(keys, address, object), bytes, epoch };
  }
  if (object.kind === "given-up") return { state: "given-up", bytes, epoch };
  if (object.kind !== "fence" && object.kind !== "moves") {
    throw new GarrisonError("object-malformed", `${name} holds a ${object.kind}`);
  }
  const { isSigned, body } = readSignedBody(keys, object);
  if (!isSigned) {
    throw new GarrisonError("object-damaged", `${name} holds a ${object.kind} that the keeper did not sign`);
  }
  return object.kind === "fence"
    ? { state: "fence", bytes, epoch }
    : { state: "moves", moves: decodeMoves(body, name), bytes, epoch };
}

/** A record under another point's name would be taken for that point, and its bytes for that point's. */
function decodeOwnRecord(keys: DomainKeys, address: SlotAddress, object: OpenedObject): PointRecord {
  const record = decodeRecord(object.body, object.name);
  if (record.session === address.session && seriesHash(keys, record.series) === address.series) return record;
  throw new GarrisonError("object-damaged", `the record in ${object.name} belongs under another name`);
}

export type TombstoneState = "none" | "signed" | "unsigned";

/** A handshake honours even an unsigned tombstone; readers only a signed one. */
export async function readTombstone(
  dependencies: SlotDependencies,
  address: SlotAddress,
  call: StoreCall,
): Promise<TombstoneState> {
  const { keys, store } = dependencies;
  const name = endName(keys.domain, address.series, address.session);
  const bytes = await readIfThere(store, name, call);
  if (bytes === undefined) return "none";
  const object = openIfAuthentic(keys, name, bytes);
  if (object?.kind !== "tombstone" || !readSignedBody(keys, object).isSigned) return "unsigned";
  const { epoch } = object;
  return (await isOutranked(dependencies, { ...address, epoch }, call)) ? "unsigned" : "signed";
}

function openIfAuthentic(keys: DomainKeys, name: string, bytes: Uint8Array): OpenedObject | undefined {
  try {
    return decodeObject(keys, name, bytes);
  } catch (error) {
    if (isGarrisonError(error)) return undefined;
    throw error;
  }
}

/**
 * A tombstone of an earlier epoch than the record's does not end it: otherwise whoever has got hold of a former master
 * key could have later restore points deleted.
 */
async function isOutranked(
  dependencies: SlotDependencies,
  tombstone: SlotAddress & { readonly epoch: number },
  call: StoreCall,
): Promise<boolean> {
  const { keys, store } = dependencies;
  if (tombstone.epoch === keys.epoch) return false;
  const name = pointName(keys.domain, tombstone.series, tombstone.session);
  const bytes = await readIfThere(store, name, call);
  const slot = bytes === undefined ? undefined : openIfAuthentic(keys, name, bytes);
  return slot !== undefined && slot.epoch > tombstone.epoch;
}
