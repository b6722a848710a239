import type { Lab } from "../../lab.ts";
import type { Collection } from "../../state/collection.ts";
import { openDisorder, QueueMessages, type OpenDisorder, type QueueDisorder } from "./queue-messages.ts";
import { queueKey, type DeliveryRecord, type MessageRecord, type QueueRecord } from "./queue-record.ts";

export interface Deduplicated {
  readonly messageId: string;
  readonly sequence: number;
  readonly untilMs: number;
}

/** Queues and messages of one lab: the journal and, beside it, each queue's messages in order. */
export class SqsStore {
  readonly queues: Collection<QueueRecord>;
  /** Names of deleted queues with the time: the same name is refused for 60 seconds. */
  readonly deletedAtMs: Collection<number>;
  readonly deduplicated: Collection<Deduplicated>;
  disorder: OpenDisorder | undefined;
  /** In-memory limits on PurgeQueue: once in 60 seconds. */
  readonly purgedAtMs = new Map<string, number>();
  readonly #messages: Collection<MessageRecord>;
  readonly #deliveries: Collection<DeliveryRecord>;
  readonly #byQueue = new Map<string, QueueMessages>();
  #sequence = 0;

  constructor(lab: Lab) {
    this.queues = lab.state.collection("sqs-queues");
    this.deletedAtMs = lab.state.collection("sqs-deleted-queues");
    this.deduplicated = lab.state.collection("sqs-deduplication");
    this.#messages = lab.state.collection("sqs-messages");
    this.#deliveries = lab.state.collection("sqs-deliveries");
    const stored = [...this.#messages.values()].sort((left, right) => left.sequence - right.sequence);
    for (const message of stored) {
      this.#sequence = Math.max(this.#sequence, message.sequence);
      const delivery = this.#deliveries.get(message.messageId) ?? { visibleAtMs: 0, receiveCount: 0 };
      this.messagesOf(message.queueKey).add(message, delivery);
    }
  }

  messagesOf(key: string): QueueMessages {
    let messages = this.#byQueue.get(key);
    if (messages === undefined) this.#byQueue.set(key, (messages = new QueueMessages()));
    return messages;
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  putMessage(message: MessageRecord, delivery: DeliveryRecord): void {
    this.#deliveries.put(message.messageId, delivery);
    this.#messages.put(message.messageId, message);
    this.messagesOf(message.queueKey).add(message, delivery);
  }

  putDelivery(message: MessageRecord, delivery: DeliveryRecord): void {
    this.#deliveries.put(message.messageId, delivery);
    this.messagesOf(message.queueKey).setDelivery(message.messageId, delivery);
  }

  removeMessage({ messageId, queueKey: key }: MessageRecord): void {
    this.#messages.delete(messageId);
    this.#deliveries.delete(messageId);
    this.messagesOf(key).remove(messageId);
  }

  removeAll(key: string): void {
    for (const message of this.messagesOf(key).all()) this.removeMessage(message);
  }

  removeQueue(queue: QueueRecord, nowMs: number): void {
    const key = queueKey(queue);
    this.queues.delete(key);
    this.deletedAtMs.put(key, nowMs);
    this.removeAll(key);
  }

  /** Messages past the queue's retention are gone, in flight or not. */
  expire(queue: QueueRecord, { nowMs, retentionMs }: { nowMs: number; retentionMs: number }): void {
    for (const message of this.messagesOf(queueKey(queue)).all()) {
      if (message.sentMs + retentionMs <= nowMs) this.removeMessage(message);
    }
  }
}

const stores = new WeakMap<Lab, SqsStore>();

export function sqsStoreOf(lab: Lab): SqsStore {
  let store = stores.get(lab);
  if (store === undefined) stores.set(lab, (store = new SqsStore(lab)));
  return store;
}

/** Makes standard queues reorder and repeat; without an argument they are tidy again. */
export function setQueueDisorder(lab: Lab, disorder?: QueueDisorder): void {
  sqsStoreOf(lab).disorder = disorder === undefined ? undefined : openDisorder(disorder);
}
