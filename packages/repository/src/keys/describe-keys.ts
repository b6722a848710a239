import { isGarrisonError } from "@garrison/core/garrison-error";
import {
  decodeEpochSlot,
  decodeRetiredMark,
  epochCheck,
  epochSlotName,
  retiredName,
} from "../format/key-marks.ts";
import { listWraps, type WrapSummary } from "./list-wraps.ts";
import type { Keyring } from "./open-keyring.ts";

/** An object under `key/` that doesn't mean what its name says. */
export interface OddKeyObject {
  readonly name: string;
  readonly reason: string;
}

export interface KeysDescription {
  readonly wraps: readonly WrapSummary[];
  readonly odd: readonly OddKeyObject[];
}

/** What there is under `key/`, judged by the master keys at hand. */
export function describeKeys(keyring: Keyring): KeysDescription {
  const odd = [...keyring.objects.foreign, ...oddMarks(keyring), ...oddSlots(keyring)];
  return { wraps: listWraps(keyring), odd };
}

function oddMarks({ repositoryId, masterKeys, objects }: Keyring): readonly OddKeyObject[] {
  return [...objects.marks].flatMap(([wrapId, bytes]) => {
    const read = () => decodeRetiredMark({ repositoryId, wrapId }, bytes, masterKeys[0]!);
    return isAuthentic(read)
      ? []
      : [
          {
            name: retiredName(wrapId),
            reason: "no holder of the master keys made this mark; it retires nothing",
          },
        ];
  });
}

function oddSlots({ repositoryId, masterKeys, objects }: Keyring): readonly OddKeyObject[] {
  const odd: OddKeyObject[] = [];
  for (const [epoch, bytes] of objects.slots) {
    const name = epochSlotName(epoch);
    const read = () => decodeEpochSlot({ repositoryId, epoch }, bytes, masterKeys[0]!);
    if (!isAuthentic(read)) odd.push({ name, reason: "no holder of the master keys made this slot" });
    const master = masterKeys[epoch - 1];
    const isOther =
      master !== undefined && isAuthentic(read) && read()!.check !== epochCheck(repositoryId, master);
    if (isOther) odd.push({ name, reason: "it stands for another master key than the one at hand" });
  }
  for (let epoch = 2; epoch <= masterKeys.length; epoch++) {
    if (objects.slots.has(epoch)) continue;
    odd.push({ name: epochSlotName(epoch), reason: "the slot of this epoch is missing" });
  }
  return odd;
}

function isAuthentic(read: () => unknown): boolean {
  try {
    return read() !== undefined;
  } catch (error) {
    if (isGarrisonError(error, "object-malformed")) return false;
    throw error;
  }
}
