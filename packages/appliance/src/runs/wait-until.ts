import type { Clock } from "@garrison/core/clock";
import { openDeadline } from "@garrison/core/deadline";

export interface Waiting {
  /** `the snapshots of i-1`: named when the time is up. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** Asks again and again, with growing pauses, until there is an answer. Throws `deadline-exceeded`. */
export async function waitUntil<Value>(
  clock: Clock,
  waiting: Waiting & { readonly signal: AbortSignal },
  ask: (signal: AbortSignal) => Promise<Value | undefined>,
): Promise<Value> {
  using deadline = openDeadline(waiting.signal, waiting.timeoutMs, waiting.what);
  for (let pauseMs = waiting.firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, waiting.longestPauseMs)) {
    const answer = await ask(deadline.signal);
    if (answer !== undefined) return answer;
    await clock.sleep(pauseMs, deadline.signal);
  }
}
