import type { Clock } from "@garrison/core/clock";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import { AdaptiveRate } from "./ebs/adaptive-rate.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** Whose rate a call uses up: AWS counts IAM's by account, STS's in the account that calls. */
export interface PacedCall {
  readonly service: "iam" | "iam-simulator" | "sts";
  readonly accountId: string;
  /** What we do, for an error's message. */
  readonly doing: string;
}

/** Makes calls at a rate that AWS takes; what is refused for its rate is made again later, and nobody hears of it. */
export interface CallPace {
  run<Value>(
    paced: PacedCall,
    call: { readonly signal: AbortSignal },
    ask: () => Promise<Value>,
  ): Promise<Value>;
}

/**
 * Where the rates start. AWS publishes 600 a second for STS and nothing for IAM, whose simulator is the tightest; a
 * refused call halves the rate of its account, so these need not be right.
 */
const ceilingsPerSecond: Readonly<Record<PacedCall["service"], number>> = {
  iam: 20,
  "iam-simulator": 10,
  sts: 150,
};

/** A check of many accounts outlasts a minute of refusals. */
const patience: RetryPolicy = { maxAttempts: 12, baseDelayMs: 250, maxDelayMs: 20_000 };

/** The clients that calls are made with must not retry by themselves (`attempts: 1`). */
export function openCallPace(dependencies: { readonly clock: Clock; readonly random: Random }): CallPace {
  const rates = new Map<string, AdaptiveRate>();
  const rateOf = ({ accountId, service }: PacedCall): AdaptiveRate => {
    const key = `${service} ${accountId}`;
    const known = rates.get(key);
    if (known !== undefined) return known;
    const rate = new AdaptiveRate(dependencies.clock, { ceilingPerSecond: ceilingsPerSecond[service] });
    rates.set(key, rate);
    return rate;
  };
  return {
    run: (paced, call, ask) =>
      retry(dependencies, { policy: patience, signal: call.signal }, async () => {
        const rate = rateOf(paced);
        const turn = await rate.take(paced.doing, call.signal);
        try {
          const answer = await ask();
          rate.succeeded();
          return answer;
        } catch (error) {
          const named = translateAwsError(error, paced.doing);
          if (named.code === "aws-throttled") rate.throttled(turn);
          throw named;
        }
      }),
  };
}
