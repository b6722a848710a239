import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";

/** Bears failures until they have gone on for too long without a break. */
export class Patience {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #failingSinceMs: number | undefined;
  #failures = 0;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    this.#failingSinceMs = undefined;
    this.#failures = 0;
  }

  /** Throws `channel-failed`, naming `what` failed, once patience is at its end. */
  failed(what: string): void {
    this.#failures += 1;
    this.#failingSinceMs ??= this.#clock.now();
    const failingMs = this.#clock.now() - this.#failingSinceMs;
    if (failingMs < this.#limitMs) return;
    throw new GarrisonError(
      "channel-failed",
      `${what} has failed for ${Math.round(failingMs / minuteMs)} min`,
    );
  }
}
