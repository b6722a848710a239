import type { Clock } from "@garrison/core/clock";
import { formatDuration } from "@garrison/core/units";

export interface TimedPhase {
  readonly name: string;
  readonly durationMs: number;
  /** What came out of it, in a few words. */
  readonly outcome: string;
}

/** Runs the story's phases one after the other, says each as it happens, and remembers how long it took. */
export class DemoTimer {
  readonly phases: TimedPhase[] = [];
  readonly #clock: Clock;
  readonly #say: (line: string) => void;

  constructor(clock: Clock, say: (line: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  async run<Result>(name: string, phase: () => Promise<readonly [Result, string]>): Promise<Result> {
    const startedMs = this.#clock.now();
    const [result, outcome] = await phase();
    const durationMs = this.#clock.now() - startedMs;
    this.phases.push({ name, durationMs, outcome });
    this.#say(`${formatDuration(durationMs).padStart(9)}  ${name}${outcome === "" ? "" : `: ${outcome}`}`);
    return result;
  }
}
