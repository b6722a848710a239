import { KiB, MiB } from "@garrison/core/units";

/** Where chunks of a stream may end. Tests make them small; everyone else uses the defaults, or nothing is found again. */
export interface CutSizes {
  readonly minBytes: number;
  /** From this length on, ends are made 16 times as likely: lengths gather around it. */
  readonly normalBytes: number;
  readonly maxBytes: number;
  /** A chunk ends where so many upper bits of the hash are zero: before and from `normalBytes`. */
  readonly strictBits: number;
  readonly looseBits: number;
}

/** 1 MiB on average. Part of how chunks are found again (docs/repository-format.md, Streams): never change them. */
export const defaultCutSizes: CutSizes = {
  minBytes: 256 * KiB,
  normalBytes: 840 * KiB,
  maxBytes: 4 * MiB,
  strictBits: 22,
  looseBits: 18,
};
