import { packName, packPrefix, parsePackName, type PackKind } from "../format/object-names.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { packKey } from "../repair/lost-items.ts";
import type { StoreCall, StoredObject } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import type { PackUnion } from "./pack-union.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

/**
 * Walks the packs that are needed and one listing of those that are there side by side, both sorted: what is missing or
 * has another size goes to the damage list. As many listing calls as the packs of these sessions need, however many points
 * there are.
 */
export async function compareListing(check: DomainCheck, union: PackUnion, call: StoreCall): Promise<void> {
  for (const kind of packKinds) {
    const uses = union.uses(kind);
    let wanted = uses.next();
    for await (const { object, pack } of listRound(check, { kind, union }, call)) {
      while (wanted.done !== true && packKey(wanted.value) < packKey(pack)) {
        reportMissing(check, wanted.value);
        wanted = uses.next();
      }
      if (wanted.done === true) break;
      if (packKey(wanted.value) !== packKey(pack)) continue;
      if (wanted.value.sizeBytes === 0) union.learnSize(wanted.value, object.sizeBytes);
      else compareSize(check, wanted.value, object);
      wanted = uses.next();
    }
    for (; wanted.done !== true; wanted = uses.next()) reportMissing(check, wanted.value);
  }
}

async function* listRound(
  check: DomainCheck,
  round: { readonly kind: PackKind; readonly union: PackUnion },
  call: StoreCall,
): AsyncGenerator<{ readonly object: StoredObject; readonly pack: PackAddress }> {
  const { kind, union } = round;
  const prefix = packPrefix(check.keys.domain, kind, "").slice(0, -1);
  const startAfter = `${prefix}${union.from}`;
  for await (const object of check.store.list(prefix, { ...call, startAfter })) {
    const pack = parsePackName(object.key);
    if (pack === undefined) continue;
    if (!union.covers(pack.session)) return;
    yield { object, pack };
  }
}

/** A pack that was moved is deleted afterwards; one that only a forward leads to is missed by whoever follows that. */
function reportMissing(check: DomainCheck, use: PackUse): void {
  if (use.sizeBytes === 0) return;
  if (check.moved.has(use)) check.moved.gone.add(use);
  else check.damage.addPack({ pack: use, code: "object-missing", message: "the pack is not there" }, 0);
}

function compareSize(check: DomainCheck, use: PackUse, object: StoredObject): void {
  if (object.sizeBytes === use.sizeBytes) return;
  const message = `the pack has ${object.sizeBytes} bytes, not ${use.sizeBytes}`;
  const damage = { pack: use, code: "object-truncated", message };
  if (object.sizeBytes < use.sizeBytes) check.damage.addPack(damage, object.sizeBytes);
  else check.damage.addFlaw(damage);
}

/** The object that a pack is stored as. */
export function nameOfPack(check: DomainCheck, pack: PackAddress): string {
  return packName(check.keys.domain, pack.kind, pack);
}
