import type { CredentialSource, SdkCredentials } from "@garrison/aws/aws-credentials";
import type { AwsCredentialsMessage, TaskCredentials } from "@garrison/channel/messages";
import { abortError, type Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs, secondMs } from "@garrison/core/units";

/** New ones are asked for when the old have so long to live, and again every so often until they come. */
const renewBeforeMs = 15 * minuteMs;
const askAgainMs = minuteMs;
/** What is this close to its end is not used for another call. */
const unusableBeforeMs = 30 * secondMs;
const longestWaitMs = 10 * minuteMs;
/** Within this of an expiry the SDK asks its source before every call, so a swap is seen by the next one. */
const sdkRefreshWindowMs = 4 * minuteMs;

export interface TaskCredentialDependencies {
  readonly clock: Clock;
  /** Tells the appliance; expected to return at once. */
  readonly askForNew: () => void;
}

/** The rights lent to one task, as they are now; the appliance replaces them while the task runs. */
export class LentCredentials {
  readonly #dependencies: TaskCredentialDependencies;
  readonly #signal: AbortSignal;
  #current: TaskCredentials;
  #askedAtMs = -Infinity;

  constructor(dependencies: TaskCredentialDependencies, first: TaskCredentials, signal: AbortSignal) {
    this.#dependencies = dependencies;
    this.#current = first;
    this.#signal = signal;
  }

  replace(credentials: TaskCredentials): void {
    this.#current = credentials;
  }

  /** For the SDK: never gives out what is about to expire, but waits, within limits, for what replaces it. */
  source(kind: keyof TaskCredentials): CredentialSource {
    return () => this.#obtain(kind);
  }

  /** Asks for new ones when it is time; called regularly. */
  check(): void {
    const nowMs = this.#dependencies.clock.now();
    const endMs = Math.min(this.#current.repository.expiresAtMs, this.#current.data.expiresAtMs);
    if (endMs - nowMs > renewBeforeMs || nowMs - this.#askedAtMs < askAgainMs) return;
    this.#askedAtMs = nowMs;
    this.#dependencies.askForNew();
  }

  async #obtain(kind: keyof TaskCredentials): Promise<SdkCredentials> {
    const { clock } = this.#dependencies;
    const giveUpAtMs = clock.now() + longestWaitMs;
    for (;;) {
      if (this.#signal.aborted) throw abortError(this.#signal);
      const lent = this.#current[kind];
      if (lent.expiresAtMs - clock.now() > unusableBeforeMs) return forSdk(lent, clock.now());
      this.check();
      if (clock.now() >= giveUpAtMs) {
        throw new GarrisonError("task-credentials-late", `no new ${kind} credentials in ten minutes`);
      }
      await clock.sleep(secondMs, this.#signal);
    }
  }
}

function forSdk(lent: AwsCredentialsMessage, nowMs: number): SdkCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = lent;
  const expiration = new Date(Math.min(expiresAtMs, nowMs + sdkRefreshWindowMs));
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}
