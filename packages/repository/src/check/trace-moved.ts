import { forwardName, type ForwardName } from "../format/object-names.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { readForward } from "../point/forward-reader.ts";
import type { LostPack } from "../repair/lost-items.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import { nameOfPack } from "./compare-listing.ts";

/**
 * What is lost of a pack that holds moved items is lost of the packs that they came from: addresses name those. Packs that
 * are still there themselves lose nothing.
 */
export async function traceMoved(check: DomainCheck, call: StoreCall): Promise<void> {
  // What is added meanwhile is lost of origins, which no forward leads to.
  const packs = Array.from(check.damage.lost.packs());
  for (const lost of packs) {
    for (const name of check.moved.leadingTo(lost)) {
      const origin = { kind: name.kind, ...name.origin };
      if (!check.moved.isRepair(name) && check.moved.gone.has(origin))
        await traceForward(check, { name, lost, origin }, call);
    }
  }
}

interface LostTarget {
  readonly name: ForwardName;
  readonly lost: LostPack;
  readonly origin: PackAddress;
}

async function traceForward(check: DomainCheck, traced: LostTarget, call: StoreCall): Promise<void> {
  const { name, lost, origin } = traced;
  const forward = await readForward(check, name, call);
  if (forward === undefined) {
    const key = forwardName(check.keys.domain, name);
    const message = "the forward to the items of a pack that was moved can't be read";
    check.damage.addPack({ pack: origin, code: "object-damaged", key, message }, 0);
    return;
  }
  const key = nameOfPack(check, lost);
  for (const item of forward.items) {
    const place: ItemAddress = {
      id: new Uint8Array(0),
      ...name.target,
      pack: name.target.number,
      offset: item.newOffset,
      length: item.newLength,
    };
    if (!check.damage.lost.has(name.kind, place)) continue;
    const code = lost.keptBytes === 0 ? "object-missing" : isPage(name) ? "page-damaged" : "chunk-damaged";
    const message = `the item at byte ${item.newOffset} of the pack, found there for ${nameOfPack(check, origin)}, is lost`;
    check.damage.addItem({ pack: origin, code, key, message }, item.offset);
  }
}

function isPage(name: ForwardName): boolean {
  return name.kind === "map";
}
