import type { PruneOptions, PrunePlan } from "../../prune/prune-plan.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { Stage } from "../actors/stage.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import type { CarryOut } from "../world/store-request.ts";
import type { CheckNumber } from "../world/violation.ts";

/**
 * A mistake that somebody could have made in the engine, planted to see whether the simulation finds it. It turns the
 * calls of the real engine into those that an engine with the mistake would make.
 */
export interface Mistake {
  readonly name: string;
  readonly what: string;
  /** The checks that can tell. */
  readonly foundBy: readonly CheckNumber[];
  /** The store as a process with this mistake uses it; nothing for processes that don't make it. */
  readonly openStore?: (
    store: ObjectStore,
    owner: { readonly stage: Stage; readonly process: SimulatedProcess },
  ) => ObjectStore | undefined;
  /** What a pass is asked for besides what the history wants. */
  readonly pruneOptions?: PruneOptions;
  /** What a pass with this mistake plans instead. */
  readonly changePlan?: (
    plan: PrunePlan,
    owner: {
      readonly stage: Stage;
      readonly process: SimulatedProcess;
      readonly store: ObjectStore;
    },
  ) => Promise<PrunePlan>;
  /** How the bucket carries out what it is asked. */
  readonly carryOut?: CarryOut;
}
