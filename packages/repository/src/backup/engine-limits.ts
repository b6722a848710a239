import { MiB, minuteMs } from "@garrison/core/units";
import { maxPackBytes } from "../format/format-limits.ts";

/** Sizes that a writer chooses within the format. Tests make them small; everyone else uses the defaults. */
export interface EngineLimits {
  readonly packBytes: number;
  readonly mapPackBytes: number;
  /** Packs on their way to the store at once. */
  readonly packsInFlight: number;
  readonly packsPerMark: number;
  readonly leavesPerMark: number;
  /** Something is written at least this often, so that a slow session can be told from a dead one. */
  readonly quietMs: number;
  /** Ids of the chunks stored last that are recognised when they come again elsewhere in the session. */
  readonly recentChunks: number;
}

export const defaultLimits: EngineLimits = {
  packBytes: maxPackBytes,
  mapPackBytes: 8 * MiB,
  packsInFlight: 2,
  packsPerMark: 64,
  leavesPerMark: 4096,
  quietMs: 10 * minuteMs,
  recentChunks: 32_768,
};
