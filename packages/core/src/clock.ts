import { GarrisonError } from "./garrison-error.ts";

/** Time as a dependency: production uses `systemClock`, simulations a virtual one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `durationMs`; rejects with `aborted` as soon as the signal fires. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const timer = setTimeout(finish, durationMs);
      function finish(): void {
        signal.removeEventListener("abort", stop);
        resolve();
      }
      function stop(): void {
        clearTimeout(timer);
        reject(abortError(signal));
      }
      signal.addEventListener("abort", stop, { once: true });
    }),
};

/** The error for a fired signal: its own reason when that is already named, otherwise `aborted`. */
export function abortError(signal: AbortSignal): GarrisonError {
  if (signal.reason instanceof GarrisonError) return signal.reason;
  return new GarrisonError("aborted", "stopped on request", { cause: signal.reason });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}
