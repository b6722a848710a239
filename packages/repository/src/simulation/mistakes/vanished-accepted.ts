import type { Mistake } from "./mistake.ts";

/** Whoever can delete records makes the next pass delete all that only they referred to. */
export const vanishedAccepted: Mistake = {
  name: "vanished-accepted",
  what: "a pass reclaims although a restore point has vanished without a tombstone",
  foundBy: [1, 2],
  pruneOptions: { acceptVanished: true },
  changePlan: async (plan) => ({ ...plan, vanished: [] }),
};
