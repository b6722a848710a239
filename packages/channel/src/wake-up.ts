import type { Clock } from "@garrison/core/clock";

/** Sleep that others can end: waits until a time, or until somebody says that something has changed. */
export class WakeUp {
  #sleepers = new Set<AbortController>();

  /** Resolves at `untilMs`, or never by time when that is undefined, and at the latest with the next `all()`. */
  async wait(clock: Clock, untilMs: number | undefined): Promise<void> {
    const sleeper = new AbortController();
    this.#sleepers.add(sleeper);
    try {
      if (untilMs === undefined)
        await new Promise<void>((resolve) => sleeper.signal.addEventListener("abort", () => resolve()));
      else await clock.sleep(Math.max(0, untilMs - clock.now()), sleeper.signal).catch(() => undefined);
    } finally {
      this.#sleepers.delete(sleeper);
    }
  }

  all(): void {
    for (const sleeper of this.#sleepers) sleeper.abort();
  }
}
