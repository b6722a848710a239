import { abortError, type Clock } from "@garrison/core/clock";
import { randomFraction, type Random } from "@garrison/core/random";
import { dayMs } from "@garrison/core/units";
import { quickRandom } from "@garrison/core/fuzz/quick-random";
import { pick } from "./history-settings.ts";

export type ProcessRole =
  | "writer"
  | "reader"
  | "checker"
  | "pruner"
  | "expirer"
  | "fencer"
  | "rotator"
  | "vandal";

/** What the scheduler knows of a process, besides what it waits for. */
export interface SimulatedProcess {
  readonly name: string;
  readonly role: ProcessRole;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  isAlive: boolean;
  pausedUntilMs: number;
  /** Every call fails until then: a network that is down, credentials that nobody renews. */
  cutOffUntilMs: number;
  rank: number;
  calls: number;
}

/** How a process's clock goes: an offset of up to ten days, and a rate that may be nought or negative. */
export interface ClockError {
  readonly offsetMs: number;
  readonly rate: number;
}

const rightClock: ClockError = { offsetMs: 0, rate: 1 };

export function drawClockError(random: Random, wrongClocks: boolean): ClockError {
  if (!wrongClocks || randomFraction(random) < 0.4) return rightClock;
  const offsetMs = Math.round((randomFraction(random) * 2 - 1) * 10 * dayMs);
  return { offsetMs, rate: pick(random, [1, 1, 1, 0, -1]) };
}

export interface ProcessOptions {
  readonly name: string;
  readonly role: ProcessRole;
  readonly clockError: ClockError;
  /** True time. */
  readonly nowMs: () => number;
  readonly sleep: (process: SimulatedProcess, durationMs: number, signal: AbortSignal) => Promise<void>;
}

export function createProcess(options: ProcessOptions): SimulatedProcess {
  const { name, role, clockError, nowMs } = options;
  const startMs = nowMs();
  const process: SimulatedProcess = {
    name,
    role,
    random: quickRandom(name),
    clock: {
      now: () => Math.round(startMs + clockError.offsetMs + (nowMs() - startMs) * clockError.rate),
      sleep: (durationMs, signal) =>
        signal.aborted ? Promise.reject(abortError(signal)) : options.sleep(process, durationMs, signal),
    },
    signal: new AbortController().signal,
    isAlive: true,
    pausedUntilMs: 0,
    cutOffUntilMs: 0,
    rank: 0,
    calls: 0,
  };
  return process;
}
