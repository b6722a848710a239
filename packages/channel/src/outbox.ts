import { randomFraction, type Random } from "@garrison/core/random";

export interface OutboxMessage {
  readonly sequence: number;
  readonly type: string;
  readonly body: string;
}

interface Entry {
  readonly message: OutboxMessage;
  /** Nothing is transmitted before it is stored: a restarted peer must know that its sequence is taken. */
  isStored: boolean;
  attempts: number;
  dueMs: number;
}

export interface ResendPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Only the oldest ones are repeated: the other side holds what came early. */
  readonly repeatedAtOnce: number;
}

/** What was sent and not acknowledged, oldest first, with the times at which to repeat it. */
export class Outbox {
  readonly #policy: ResendPolicy;
  readonly #random: Random;
  #entries: Entry[] = [];

  constructor(random: Random, policy: ResendPolicy) {
    this.#random = random;
    this.#policy = policy;
  }

  get size(): number {
    return this.#entries.length;
  }

  messages(): readonly OutboxMessage[] {
    return this.#entries.map((entry) => entry.message);
  }

  add(message: OutboxMessage, isStored: boolean): void {
    this.#entries.push({ message, isStored, attempts: 0, dueMs: 0 });
  }

  markStored(throughSequence: number): void {
    for (const entry of this.#entries) {
      if (entry.message.sequence <= throughSequence) entry.isStored = true;
    }
  }

  /** The oldest message whose time has come. */
  due(nowMs: number): OutboxMessage | undefined {
    return this.#candidates().find((entry) => entry.dueMs <= nowMs)?.message;
  }

  /** When the next one is due; undefined when nothing waits. */
  nextDueMs(): number | undefined {
    const times = this.#candidates().map((entry) => entry.dueMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Notes an attempt, successful or not, and plans the next with growing, jittered delay. Returns its number. */
  noteAttempt(sequence: number, nowMs: number): number {
    const entry = this.#entries.find((other) => other.message.sequence === sequence);
    if (entry === undefined) return 0; // acknowledged while it was being sent
    const ceiling = Math.min(this.#policy.maxMs, this.#policy.baseMs * 2 ** entry.attempts);
    entry.attempts += 1;
    entry.dueMs = nowMs + Math.ceil(ceiling * (0.5 + randomFraction(this.#random) / 2));
    return entry.attempts;
  }

  /** Drops all up to `sequence`; returns how many those were. */
  acknowledge(sequence: number): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.message.sequence > sequence);
    return before - this.#entries.length;
  }

  #candidates(): readonly Entry[] {
    return this.#entries.filter(
      (entry, index) => entry.isStored && (entry.attempts === 0 || index < this.#policy.repeatedAtOnce),
    );
  }
}
