import { itemKinds, type ItemKind } from "../format/format-limits.ts";
import { pointName } from "../format/object-names.ts";
import type { PackTable } from "../format/pack-table.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import { isDamage } from "../point/is-damage.ts";
import { readPage } from "../point/page-reader.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { packOf } from "../repair/lost-items.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck, Finding } from "./check-plan.ts";

interface CheckedParts {
  readonly slot: SlotAddress;
  readonly reader: VolumeReader;
}

/** Reads a volume's pack table. What is damaged of it goes to the damage list; a table that contradicts itself is told. */
export async function* checkTable(
  check: DomainCheck,
  owner: CheckedParts,
  call: StoreCall,
): AsyncGenerator<Finding, PackTable | undefined> {
  const parts = { ...owner, kind: itemKinds.table, parts: owner.reader.volume.tables };
  return yield* checkParts(check, { ...parts, read: () => owner.reader.table() }, call);
}

export async function* checkHooks(
  check: DomainCheck,
  owner: CheckedParts,
  call: StoreCall,
): AsyncGenerator<Finding> {
  const parts = { ...owner, kind: itemKinds.hooks, parts: owner.reader.volume.hooks };
  yield* checkParts(check, { ...parts, read: () => owner.reader.hooks() }, call);
}

interface WantedParts<Result> extends CheckedParts {
  readonly kind: ItemKind;
  readonly parts: readonly ItemAddress[];
  readonly read: () => Promise<Result>;
}

async function* checkParts<Result>(
  check: DomainCheck,
  wanted: WantedParts<Result>,
  call: StoreCall,
): AsyncGenerator<Finding, Result | undefined> {
  try {
    return await wanted.read();
  } catch (error) {
    if (!isDamage(error)) throw error;
    if (await findDamagedParts(check, wanted, call)) return undefined;
    const { slot, reader } = wanted;
    const key = pointName(check.keys.domain, slot.series, slot.session);
    const about = { point: slot.session, volumeId: reader.volume.volumeId };
    yield { severity: "damage", code: error.code, key, message: error.message, ...about };
    return undefined;
  }
}

/** Whether single parts are to blame. */
async function findDamagedParts(
  check: DomainCheck,
  wanted: WantedParts<unknown>,
  call: StoreCall,
): Promise<boolean> {
  let isFound = false;
  for (const [position, address] of wanted.parts.entries()) {
    const place = { ...wanted.reader.place, position };
    try {
      await readPage(check, { kind: wanted.kind, address, place }, call);
    } catch (error) {
      if (!isDamage(error)) throw error;
      isFound = true;
      const damage = { pack: packOf("map", address), code: error.code, message: error.message };
      check.damage.addItem(damage, address.offset);
    }
  }
  return isFound;
}
