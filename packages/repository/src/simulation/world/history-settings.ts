import { randomFraction, type Random } from "@garrison/core/random";
import { dayMs, minuteMs, secondMs } from "@garrison/core/units";

const hourMs = 60 * minuteMs;

/** What one history is like: drawn from its seed, so that each of them stresses something else. */
export interface HistorySettings {
  /** `even`: every waiting call is as likely. `ranks`: the process of the highest rank runs; ranks change now and then. */
  readonly order: "even" | "ranks";
  /** Share of calls that fail, are lost, arrive late or twice. */
  readonly faultRate: number;
  /** Share of calls at which a process dies for good. */
  readonly deathRate: number;
  /** Share of handshakes, commits and deletes before or after which a process stops for long. */
  readonly pauseRate: number;
  /** Objects in a page of a listing. */
  readonly pageObjects: number;
  /** Whether processes' clocks are wrong, stand still or run backwards. */
  readonly wrongClocks: boolean;
  /** Whether keys are rotated: every process then opens the repository by itself when it starts. */
  readonly withRotations: boolean;
  /** Whether somebody without any right deletes records. */
  readonly withVandal: boolean;
  readonly activities: number;
  /** Activities begin this long after one another, at most. */
  readonly gapMs: number;
  readonly graceMs: number;
  readonly staleMs: number;
  /** Packs below this share of live chunks are moved. */
  readonly repackBelow: number;
}

export function drawSettings(random: Random): HistorySettings {
  return {
    order: pick(random, ["even", "ranks"]),
    faultRate: pick(random, [0, 0.02, 0.08]),
    deathRate: pick(random, [0, 0.003, 0.015]),
    pauseRate: pick(random, [0.05, 0.2, 0.4]),
    pageObjects: pick(random, [2, 5, 1000, 1000]),
    wrongClocks: randomFraction(random) < 0.5,
    withRotations: randomFraction(random) < 0.25,
    withVandal: randomFraction(random) < 0.15,
    activities: pick(random, [6, 9, 14]),
    gapMs: pick(random, [10 * secondMs, 2 * hourMs, 3 * dayMs]),
    graceMs: pick(random, [0, hourMs, 7 * dayMs]),
    staleMs: pick(random, [15 * minuteMs, 2 * hourMs, dayMs]),
    repackBelow: pick(random, [0.5, 0.9, 1]),
  };
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(randomFraction(random) * items.length)]!;
}

/** How long a process stops: from a hiccup to longer than any grace. */
const pausesMs = [30 * secondMs, 11 * minuteMs, 3 * hourMs, 26 * hourMs, 8 * dayMs, 20 * dayMs];

export function drawPauseMs(random: Random): number {
  return pick(random, pausesMs) * (1 + randomFraction(random) / 4);
}
