import { forwardPrefix, packName, parseForwardName, type PackKind } from "../../format/object-names.ts";
import type { PlannedPacks } from "../../prune/prune-plan.ts";
import { isListed } from "../../point/read-slot.ts";
import type { Mistake } from "./mistake.ts";

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
    return { ...plan, packs: [...plan.packs, ...moved] };
  },
};
