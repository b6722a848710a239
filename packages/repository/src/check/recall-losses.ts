import type { LostPack } from "../repair/lost-items.ts";
import type { DomainCheck } from "./check-plan.ts";
import { nameOfPack } from "./compare-listing.ts";
import type { PackReading } from "./pack-reading.ts";
import type { PackUnion } from "./pack-union.ts";

/**
 * Takes over what an earlier check found damaged inside packs that this one does not open. What it opens, or what nothing
 * refers to any more, is judged anew.
 */
export function recallLosses(
  check: DomainCheck,
  known: { readonly packs: Iterable<LostPack>; readonly round: PackUnion; readonly reading: PackReading },
): void {
  const { packs, round, reading } = known;
  for (const pack of packs) {
    if (!round.covers(pack.session) || round.find(pack.kind, pack) === undefined) continue;
    if (reading.opens(pack)) continue;
    const isPage = pack.kind === "map";
    for (const offset of pack.offsets) {
      const what = `the ${isPage ? "page" : "block"} at byte ${offset} of ${nameOfPack(check, pack)}`;
      const message = `${what} was damaged when it was last read`;
      check.damage.addItem({ pack, code: isPage ? "page-damaged" : "chunk-damaged", message }, offset);
    }
  }
}
