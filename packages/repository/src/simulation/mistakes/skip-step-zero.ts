import { packFolder, parsePackName, parseSlotName, type PackKind } from "../../format/object-names.ts";
import type { PlannedPacks, PrunePlan } from "../../prune/prune-plan.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import type { Mistake } from "./mistake.ts";

const sessionsSeen = new WeakMap<SimulatedProcess, Set<string>>();
const kinds: readonly PackKind[] = ["pack", "map"];

/**
 * Without step 0 a pass takes every pack that it lists in step 5 for one that it may judge: those of a session that began
 * after the sessions were listed look as if they were nobody's.
 */
export const skipStepZero: Mistake = {
  name: "skip-step-zero",
  what: "a pass judges packs of sessions that began after it had listed the sessions",
  foundBy: [1, 2, 4],
  openStore(store, { process }) {
    if (process.role !== "pruner") return undefined;
    const seen = new Set<string>();
    sessionsSeen.set(process, seen);
    return {
      ...store,
      async *list(prefix, call) {
        for await (const object of store.list(prefix, call)) {
          const [, kind, session] = object.key.split("/");
          if (kind === "session") seen.add(session!);
          if (kind === "point") seen.add(parseSlotName(object.key)!.session);
          yield object;
        }
      },
    };
  },
  async changePlan(plan, { stage, process, store }) {
    const packs = await listUnseen(store, { domain: stage.domain, process });
    return { ...plan, packs: [...plan.packs, ...packs] };
  },
};

async function listUnseen(
  store: ObjectStore,
  { domain, process }: { readonly domain: string; readonly process: SimulatedProcess },
): Promise<PrunePlan["packs"]> {
  const seen = sessionsSeen.get(process)!;
  const unseen: PlannedPacks[] = [];
  for (const kind of kinds) {
    for await (const { key, sizeBytes } of store.list(packFolder(domain, kind), process)) {
      const pack = parsePackName(key)!;
      if (seen.has(pack.session)) continue;
      unseen.push({ ...pack, numbers: [pack.number], sizeBytes, why: "unreferenced" });
    }
  }
  return unseen;
}
