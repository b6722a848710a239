import {
  forwardPrefix,
  packName,
  parseForwardName,
  type PackKind,
  type PackName,
} from "../../format/object-names.ts";
import type { PlannedPacks } from "../../prune/prune-plan.ts";
import { isListed } from "../../store/read-if-there.ts";
import type { Stage } from "../actors/stage.ts";
import type { Mistake } from "./mistake.ts";

const nameOf = ({ domain }: Stage, pack: PackName & { readonly kind: PackKind }): string =>
  packName(domain, pack.kind, pack);
const kinds: readonly PackKind[] = ["pack", "map"];

/** A mover that dies before it commits is fenced, and what it had copied goes: then the only copy goes with it. */
export const uncommittedForwards: Mistake = {
  name: "uncommitted-forwards",
  what: "a pass deletes packs for forwards of moves that were not committed",
  foundBy: [1, 2],
  async changePlan(plan, { stage, process, store }) {
    const moved: PlannedPacks[] = [];
    for (const kind of kinds) {
      for await (const { key } of store.list(forwardPrefix(stage.domain, kind), process)) {
        const { origin, target } = parseForwardName(key)!;
        if (!(await isListed(store, packName(stage.domain, kind, target), process))) continue;
        const { session, lane, number } = origin;
        moved.push({ kind, session, lane, numbers: [number], sizeBytes: 0, why: "moved" });
      }
    }
    // Taken for moved already, they are not moved again.
    const isMoved = (pack: PackName & { readonly kind: PackKind }) =>
      moved.some((each) => nameOf(stage, { ...each, number: each.numbers[0]! }) === nameOf(stage, pack));
    const candidates = plan.moves.candidates.filter((pack) => !isMoved(pack));
    return { ...plan, packs: [...plan.packs, ...moved], moves: { ...plan.moves, candidates } };
  },
};
