import type { WorkerConfig } from "@garrison/channel/worker-config";
import type { Clock } from "@garrison/core/clock";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { secondMs } from "@garrison/core/units";

export interface QueueFinder {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findQueues: (prefix: string, call: { readonly signal: AbortSignal }) => Promise<readonly string[]>;
}

export interface WorkerQueues {
  readonly toWorker: string;
  readonly toAppliance: string;
}

const pauseMs = 3 * secondMs;

/**
 * Finds the worker's two queues by their prefix. Lists lag behind creations and rights behind their grants, so it keeps
 * trying for as long as it would bear silence.
 */
export async function waitForQueues(
  finder: QueueFinder,
  config: WorkerConfig,
  call: { readonly signal: AbortSignal },
): Promise<WorkerQueues> {
  const { clock, logger } = finder;
  const { queuePrefix, silenceMs } = config;
  const giveUpAtMs = clock.now() + silenceMs;
  for (;;) {
    const found = await lookOnce(finder, queuePrefix, call);
    if (found.queues !== undefined) return found.queues;
    if (clock.now() >= giveUpAtMs) {
      const message = `no queues ${queuePrefix}-in and ${queuePrefix}-out`;
      throw new GarrisonError("worker-queues-missing", message, { cause: found.error });
    }
    logger.info({ queuePrefix, error: describeError(found.error) }, "waiting for the queues");
    await clock.sleep(pauseMs, call.signal);
  }
}

async function lookOnce(
  { findQueues }: QueueFinder,
  prefix: string,
  call: { readonly signal: AbortSignal },
): Promise<{ readonly queues?: WorkerQueues; readonly error?: unknown }> {
  try {
    const urls = await findQueues(`${prefix}-`, call);
    const ending = (end: string) => urls.find((url) => url.endsWith(`/${prefix}-${end}`));
    const [toWorker, toAppliance] = [ending("in"), ending("out")];
    const isComplete = toWorker !== undefined && toAppliance !== undefined;
    return isComplete ? { queues: { toWorker, toAppliance } } : { error: "the list does not hold both" };
  } catch (error) {
    return { error };
  }
}
