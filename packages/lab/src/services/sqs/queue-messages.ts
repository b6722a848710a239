import { abortError } from "@garrison/core/clock";
import { randomBelow, randomFraction, seededRandom, type Random } from "@garrison/core/random";
import { isFifo, type DeliveryRecord, type MessageRecord, type QueueRecord } from "./queue-record.ts";

/** How unlike a tidy list a standard queue behaves. Real ones reorder and repeat now and then; tests provoke it. */
export interface QueueDisorder {
  readonly seed: string | number;
  /** Probability that a receive takes messages in another order than they came. */
  readonly reorder: number;
  /** Probability that a received message stays visible, so that it is delivered once more. */
  readonly duplicate: number;
}

export interface OpenDisorder {
  readonly random: Random;
  readonly reorder: number;
  readonly duplicate: number;
}

export function openDisorder({ seed, reorder, duplicate }: QueueDisorder): OpenDisorder {
  return { random: seededRandom(seed), reorder, duplicate };
}

/** The messages of one queue, in the order of arrival. Only bookkeeping: who may receive and what is stored is decided elsewhere. */
export class QueueMessages {
  readonly #messages = new Map<string, MessageRecord>();
  readonly #deliveries = new Map<string, DeliveryRecord>();
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#messages.size;
  }

  add(message: MessageRecord, delivery: DeliveryRecord): void {
    this.#messages.set(message.messageId, message);
    this.#deliveries.set(message.messageId, delivery);
    this.wake();
  }

  setDelivery(messageId: string, delivery: DeliveryRecord): void {
    this.#deliveries.set(messageId, delivery);
    this.wake();
  }

  remove(messageId: string): void {
    this.#messages.delete(messageId);
    this.#deliveries.delete(messageId);
    this.wake();
  }

  message(messageId: string): MessageRecord | undefined {
    return this.#messages.get(messageId);
  }

  delivery(messageId: string): DeliveryRecord {
    return this.#deliveries.get(messageId)!;
  }

  all(): MessageRecord[] {
    return [...this.#messages.values()];
  }

  /** What can be received now, at most `limit`. In a FIFO queue a group waits for its message in flight. */
  receivable(
    queue: QueueRecord,
    nowMs: number,
    { limit, disorder }: { limit: number; disorder: OpenDisorder | undefined },
  ): MessageRecord[] {
    if (isFifo(queue)) return this.#receivableInOrder(nowMs, limit);
    const visible: MessageRecord[] = [];
    const mixed = disorder !== undefined && randomFraction(disorder.random) < disorder.reorder;
    for (const message of this.#messages.values()) {
      if (this.delivery(message.messageId).visibleAtMs > nowMs) continue;
      visible.push(message);
      if (!mixed && visible.length === limit) break;
    }
    return mixed ? shuffled(visible, disorder.random).slice(0, limit) : visible;
  }

  #receivableInOrder(nowMs: number, limit: number): MessageRecord[] {
    const blocked = new Set<string>();
    const chosen: MessageRecord[] = [];
    for (const message of this.#messages.values()) {
      const group = message.groupId ?? "";
      if (blocked.has(group)) continue;
      if (this.delivery(message.messageId).visibleAtMs > nowMs) blocked.add(group);
      else chosen.push(message);
      if (chosen.length === limit) break;
    }
    return chosen.filter(({ groupId = "" }) => !this.#isInFlight(groupId, nowMs));
  }

  // A message of the group that was received and not deleted, wherever in the order it stands.
  #isInFlight(group: string, nowMs: number): boolean {
    for (const { messageId, groupId = "" } of this.#messages.values()) {
      const { receiveCount, visibleAtMs } = this.delivery(messageId);
      if (groupId === group && receiveCount > 0 && visibleAtMs > nowMs) return true;
    }
    return false;
  }

  counts(nowMs: number): { visible: number; inFlight: number; delayed: number } {
    const counts = { visible: 0, inFlight: 0, delayed: 0 };
    for (const { receiveCount, visibleAtMs } of this.#deliveries.values()) {
      if (visibleAtMs <= nowMs) counts.visible++;
      else if (receiveCount > 0) counts.inFlight++;
      else counts.delayed++;
    }
    return counts;
  }

  /** When the next message that can't be received now can be. */
  nextVisibleMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const { visibleAtMs } of this.#deliveries.values()) {
      if (visibleAtMs > nowMs && (next === undefined || visibleAtMs < next)) next = visibleAtMs;
    }
    return next;
  }

  /** Resolves at the next change of the queue; rejects when the signal fires. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const settle = () => {
        this.#waiting.delete(settle);
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        this.#waiting.delete(settle);
        reject(abortError(signal));
      };
      this.#waiting.add(settle);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  wake(): void {
    const woken = Array.from(this.#waiting);
    for (const settle of woken) settle();
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items];
  for (let index = mixed.length - 1; index > 0; index--) {
    const other = randomBelow(random, index + 1);
    [mixed[index], mixed[other]] = [mixed[other]!, mixed[index]!];
  }
  return mixed;
}
