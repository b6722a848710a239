import type { Clock } from "./clock.ts";

export interface TokenBucketLimits {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** A rate limit that makes callers wait in turn. Shared by all who draw on one quota. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #limits: TokenBucketLimits;
  #tokens: number;
  #refilledAtMs: number;

  constructor(clock: Clock, limits: TokenBucketLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#tokens = limits.capacity;
    this.#refilledAtMs = clock.now();
  }

  /** Takes one token, waiting for it if the bucket is empty. Reservations are served in call order. */
  async take(signal: AbortSignal): Promise<void> {
    this.#refill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return;
    await this.#clock.sleep((-this.#tokens / this.#limits.refillPerSecond) * 1000, signal);
  }

  /** Takes one token if there is one now. For those who refuse rather than wait. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(): void {
    const now = this.#clock.now();
    const gained = ((now - this.#refilledAtMs) / 1000) * this.#limits.refillPerSecond;
    this.#tokens = Math.min(this.#limits.capacity, this.#tokens + Math.max(0, gained));
    this.#refilledAtMs = now;
  }
}
