import { formatAuthenticJson, isAuthenticJson } from "./authentic-json.ts";
import { deriveKey } from "./derive-key.ts";
import { parseJson } from "./json-fields.ts";
import { wrapPrefix } from "./object-names.ts";
import type { WrapPlace } from "./key-wrap.ts";

/**
 * Two small objects beside the wraps, which lie open and are authentic for whoever holds the first master key: a mark
 * that retires a wrap (it may not be possible to delete it), and the slot of an epoch, whose creation decides which of
 * several rotations made at the same time is the one.
 */
export interface RetiredMark {
  readonly retiredAtMs: number;
}

export interface EpochSlot {
  /** Stands for the master key of the epoch without telling anything about it. */
  readonly check: string;
  readonly madeAtMs: number;
}

const wrapPattern = /^key\/([0-9a-f]{16})$/;
const retiredPattern = /^key\/([0-9a-f]{16})\.retired$/;
const epochPattern = /^key\/epoch-([0-9a-f]{8})$/;

export const retiredName = (wrapId: string): string => `${wrapPrefix}${wrapId}.retired`;
export const epochSlotName = (epoch: number): string =>
  `${wrapPrefix}epoch-${epoch.toString(16).padStart(8, "0")}`;

/** What a name under `key/` stands for; nothing: none of ours. */
export type KeyName =
  | { readonly kind: "wrap"; readonly wrapId: string }
  | { readonly kind: "retired"; readonly wrapId: string }
  | { readonly kind: "epoch"; readonly epoch: number };

export function parseKeyName(key: string): KeyName | undefined {
  const wrapId = wrapPattern.exec(key)?.[1];
  if (wrapId !== undefined) return { kind: "wrap", wrapId };
  const retired = retiredPattern.exec(key)?.[1];
  if (retired !== undefined) return { kind: "retired", wrapId: retired };
  const epoch = epochPattern.exec(key)?.[1];
  return epoch === undefined ? undefined : { kind: "epoch", epoch: Number.parseInt(epoch, 16) };
}

export function encodeRetiredMark(
  place: WrapPlace,
  mark: RetiredMark,
  firstMasterKey: Uint8Array,
): Uint8Array {
  return formatAuthenticJson({ ...mark }, retiredMacKey(place, firstMasterKey));
}

/** The mark, or nothing when no holder of the master keys made it. */
export function decodeRetiredMark(
  place: WrapPlace,
  bytes: Uint8Array,
  firstMasterKey: Uint8Array,
): RetiredMark | undefined {
  if (!isAuthenticJson(bytes, retiredMacKey(place, firstMasterKey))) return undefined;
  const fields = parseJson(bytes, retiredName(place.wrapId));
  return { retiredAtMs: fields.count("retiredAtMs") };
}

interface SlotPlace {
  readonly repositoryId: string;
  readonly epoch: number;
}

export function encodeEpochSlot(place: SlotPlace, slot: EpochSlot, firstMasterKey: Uint8Array): Uint8Array {
  return formatAuthenticJson({ ...slot }, slotMacKey(place, firstMasterKey));
}

export function decodeEpochSlot(
  place: SlotPlace,
  bytes: Uint8Array,
  firstMasterKey: Uint8Array,
): EpochSlot | undefined {
  if (!isAuthenticJson(bytes, slotMacKey(place, firstMasterKey))) return undefined;
  const fields = parseJson(bytes, epochSlotName(place.epoch));
  return { check: fields.hex("check", 32), madeAtMs: fields.count("madeAtMs") };
}

export function epochCheck(repositoryId: string, masterKey: Uint8Array): string {
  return Buffer.from(deriveKey(masterKey, "epoch check", [repositoryId])).toString("hex");
}

export function retiredMacKey(place: WrapPlace, firstMasterKey: Uint8Array): Uint8Array {
  return deriveKey(firstMasterKey, "retired mac", [place.repositoryId, place.wrapId]);
}

export function slotMacKey(place: SlotPlace, firstMasterKey: Uint8Array): Uint8Array {
  return deriveKey(firstMasterKey, "epoch mac", [place.repositoryId, String(place.epoch)]);
}
