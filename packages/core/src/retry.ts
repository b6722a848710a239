import { throwIfAborted, type Clock } from "./clock.ts";
import { isGarrisonError } from "./garrison-error.ts";
import { randomFraction, type Random } from "./random.ts";

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Default: a GarrisonError whose code is retryable. */
  readonly isRetryable?: (error: unknown) => boolean;
}

export interface RetryDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

export const defaultRetryPolicy: RetryPolicy = { maxAttempts: 6, baseDelayMs: 100, maxDelayMs: 10_000 };

/**
 * Repeats `attempt` with full-jitter exponential back-off. The only retry loop there is, and never nested: a caller that
 * retries calls something that does not.
 */
export async function retry<Result>(
  dependencies: RetryDependencies,
  options: { readonly policy?: RetryPolicy; readonly signal: AbortSignal },
  attempt: (attemptNumber: number) => Promise<Result>,
): Promise<Result> {
  const policy = options.policy ?? defaultRetryPolicy;
  const isRetryable = policy.isRetryable ?? ((error) => isGarrisonError(error) && error.retryable);
  for (let attemptNumber = 1; ; attemptNumber++) {
    throwIfAborted(options.signal);
    try {
      return await attempt(attemptNumber);
    } catch (error) {
      if (attemptNumber >= policy.maxAttempts || options.signal.aborted || !isRetryable(error)) throw error;
      const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attemptNumber - 1));
      await dependencies.clock.sleep(ceiling * randomFraction(dependencies.random), options.signal);
    }
  }
}
