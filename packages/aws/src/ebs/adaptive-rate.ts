import { abortError, throwIfAborted, type Clock } from "@garrison/core/clock";

export interface AdaptiveRateLimits {
  /** Never more than this, however well it goes. */
  readonly ceilingPerSecond: number;
  /** Never less: somebody has to find out when it goes again. */
  readonly floorPerSecond?: number;
}

/** Leave to make one call; comes back with what became of it. */
export interface Turn {
  readonly epoch: number;
}

interface Waiter {
  readonly begin: (turn: Turn) => void;
}

const defaultFloorPerSecond = 1;
/** What may be caught up with at once when time was slept through. */
const burstSeconds = 0.1;
/** From half of the ceiling to all of it in that many seconds of success. */
const recoverySeconds = 4;
const never = new AbortController().signal;

/**
 * A rate of calls that finds its own height: a refused call halves it, calls that go well raise it by degrees. Those who
 * share a quota without knowing of each other end up with equal parts of it, in this process or in others. Within it,
 * queues that wait are served in turn, one call each, so nobody gains by waiting with more calls.
 *
 * One overshoot is refused many times, by every call that was under way: only what began after the last halving counts.
 */
export class AdaptiveRate {
  readonly #clock: Clock;
  readonly #limits: Required<AdaptiveRateLimits>;
  /** Queues that wait, the next to be served first. */
  readonly #queues = new Map<string, Waiter[]>();
  #rate: number;
  #tokens: number;
  #refilledAtMs: number;
  #epoch = 0;
  #isServing = false;

  constructor(clock: Clock, limits: AdaptiveRateLimits) {
    const { ceilingPerSecond } = limits;
    this.#clock = clock;
    this.#limits = {
      ceilingPerSecond,
      floorPerSecond: Math.min(limits.floorPerSecond ?? defaultFloorPerSecond, ceilingPerSecond),
    };
    this.#rate = ceilingPerSecond;
    this.#tokens = this.#capacity;
    this.#refilledAtMs = clock.now();
  }

  /** Calls a second that are given out now. */
  get perSecond(): number {
    return this.#rate;
  }

  /** Resolves when the queue may make its next call; rejects with `aborted` when the signal fires before. */
  async take(queue: string, signal: AbortSignal): Promise<Turn> {
    throwIfAborted(signal);
    this.#refill();
    if (this.#queues.size === 0 && this.#tokens >= 1) return this.#spend();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#remove(queue, waiter);
        reject(abortError(signal));
      };
      const begin = (turn: Turn): void => {
        signal.removeEventListener("abort", leave);
        resolve(turn);
      };
      const waiter = { begin };
      signal.addEventListener("abort", leave, { once: true });
      const waiting = this.#queues.get(queue);
      if (waiting === undefined) this.#queues.set(queue, [waiter]);
      else waiting.push(waiter);
      void this.#serve();
    });
  }

  /** The call went through. */
  succeeded(): void {
    // A rate that nobody uses up says nothing about a higher one.
    if (this.#queues.size === 0 && this.#tokens > this.#capacity / 2) return;
    const { ceilingPerSecond } = this.#limits;
    const step = ceilingPerSecond / 2 / recoverySeconds / this.#rate;
    this.#rate = Math.min(ceilingPerSecond, this.#rate + step);
  }

  /** The call was refused for its rate. */
  throttled(turn: Turn): void {
    if (turn.epoch !== this.#epoch) return;
    this.#epoch += 1;
    this.#refill();
    this.#rate = Math.max(this.#limits.floorPerSecond, this.#rate / 2);
    this.#tokens = Math.min(this.#tokens, 0);
  }

  get #capacity(): number {
    return Math.max(1, this.#rate * burstSeconds);
  }

  #spend(): Turn {
    this.#tokens -= 1;
    return { epoch: this.#epoch };
  }

  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    while (this.#queues.size > 0) {
      this.#refill();
      if (this.#tokens >= 1) this.#next().begin(this.#spend());
      // Whole milliseconds: a wait that rounding makes nothing of would never end.
      else await this.#clock.sleep(Math.ceil(((1 - this.#tokens) / this.#rate) * 1000), never);
    }
    this.#isServing = false;
  }

  #next(): Waiter {
    const [queue, waiting] = this.#queues.entries().next().value!;
    const waiter = waiting.shift()!;
    this.#queues.delete(queue);
    if (waiting.length > 0) this.#queues.set(queue, waiting);
    return waiter;
  }

  #remove(queue: string, waiter: Waiter): void {
    const left = this.#queues.get(queue)?.filter((each) => each !== waiter) ?? [];
    if (left.length === 0) this.#queues.delete(queue);
    else this.#queues.set(queue, left);
  }

  #refill(): void {
    const now = this.#clock.now();
    const gained = (Math.max(0, now - this.#refilledAtMs) / 1000) * this.#rate;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    this.#refilledAtMs = now;
  }
}
