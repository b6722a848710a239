import type { Breakage } from "./breakage.ts";
import { brokenLayers } from "./broken-layers.ts";
import { brokenLimits } from "./broken-limits.ts";
import { brokenRights } from "./broken-rights.ts";
import { brokenTrust } from "./broken-trust.ts";

/** Every breakage of a working setup that the check has to find, and the repair or the printed patch to mend. */
export const allBreakages: readonly Breakage[] = [
  ...brokenTrust,
  ...brokenRights,
  ...brokenLayers,
  ...brokenLimits,
];
