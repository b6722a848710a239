import { randomBytes } from "node:crypto";
import type { ReceiveMessageCommandInput } from "@aws-sdk/client-sqs";
import { randomFraction } from "@garrison/core/random";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { md5OfAttributes, md5OfText } from "./message-digest.ts";
import { openQueue, queueArn, type QueueCall } from "./queue-access.ts";
import { numberAttribute, redrivePolicyOf } from "./queue-attributes.ts";
import {
  isFifo,
  queueKey,
  type DeliveryRecord,
  type MessageRecord,
  type StoredAttribute,
} from "./queue-record.ts";
import { encodeReceipt } from "./receipt-handle.ts";
import { invalidParameter, sequenceText } from "./send-message.ts";

const inFlightLimit = 120_000;

/** Long polling: answers as soon as there is something, at the latest when the wait is over; ends with the request. */
export async function receiveMessage(input: ReceiveMessageCommandInput, call: Call) {
  const at = openQueue(input.QueueUrl, call, "sqs:ReceiveMessage");
  const { MaxNumberOfMessages: limit = 1 } = input;
  const waitSeconds = input.WaitTimeSeconds ?? numberAttribute(at.queue, "ReceiveMessageWaitTimeSeconds");
  checkRange("MaxNumberOfMessages", limit, [1, 10]);
  checkRange("WaitTimeSeconds", waitSeconds, [0, 20]);
  checkRange("VisibilityTimeout", input.VisibilityTimeout ?? 0, [0, 43_200]);
  const untilMs = call.lab.clock.now() + waitSeconds * 1000;
  for (;;) {
    const received = receiveNow(at, input, limit);
    const leftMs = untilMs - call.lab.clock.now();
    if (received.length > 0) return { Messages: received };
    if (leftMs <= 0) return {};
    await nextChance(at, leftMs);
    // The queue may have been deleted, or its settings changed, while we waited.
    if (at.store.queues.get(at.key) === undefined) return {};
  }
}

function checkRange(name: string, value: number, [min, max]: readonly [number, number]): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalidParameter(
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
  );
}

/** Waits for a change of the queue, or for a message to become visible again. */
async function nextChance({ call, store, key }: QueueCall, leftMs: number): Promise<void> {
  const { clock } = call.lab;
  const messages = store.messagesOf(key);
  const nowMs = clock.now();
  const nextMs = (messages.nextVisibleMs(nowMs) ?? Number.POSITIVE_INFINITY) - nowMs;
  const done = new AbortController();
  const signal = AbortSignal.any([call.signal, call.lab.stopping, done.signal]);
  const ignoreEnd = (error: unknown) => {
    if (!done.signal.aborted) throw error;
  };
  try {
    await Promise.race([
      messages.changed(signal).catch(ignoreEnd),
      clock.sleep(Math.max(1, Math.min(leftMs, nextMs)), signal).catch(ignoreEnd),
    ]);
  } finally {
    done.abort();
  }
}

function receiveNow(at: QueueCall, input: ReceiveMessageCommandInput, limit: number): object[] {
  const { store, queue, key, call } = at;
  const nowMs = call.lab.clock.now();
  store.expire(queue, { nowMs, retentionMs: numberAttribute(queue, "MessageRetentionPeriod") * 1000 });
  const messages = store.messagesOf(key);
  checkInFlight(at, nowMs);
  const received: object[] = [];
  for (const message of messages.receivable(queue, nowMs, { limit, disorder: store.disorder })) {
    const earlier = messages.delivery(message.messageId);
    if (moveToDeadLetters(at, message, earlier)) continue;
    received.push(deliver(at, input, { message, earlier, nowMs }));
  }
  return received;
}

function checkInFlight({ store, queue, key }: QueueCall, nowMs: number): void {
  const messages = store.messagesOf(key);
  if (messages.size < inFlightLimit || messages.counts(nowMs).inFlight < inFlightLimit || isFifo(queue))
    return;
  throw new AwsError("OverLimit", "Too many messages in flight.", { status: 403 });
}

interface Delivery {
  readonly message: MessageRecord;
  readonly earlier: DeliveryRecord;
  readonly nowMs: number;
}

function deliver(
  at: QueueCall,
  input: ReceiveMessageCommandInput,
  { message, earlier, nowMs }: Delivery,
): object {
  const { store, queue } = at;
  const timeoutSeconds = input.VisibilityTimeout ?? numberAttribute(queue, "VisibilityTimeout");
  const disorder = isFifo(queue) ? undefined : store.disorder;
  const repeats = disorder !== undefined && randomFraction(disorder.random) < disorder.duplicate;
  const delivery: DeliveryRecord = {
    visibleAtMs: repeats ? nowMs : nowMs + timeoutSeconds * 1000,
    receiveCount: earlier.receiveCount + 1,
    firstReceivedMs: earlier.firstReceivedMs ?? nowMs,
    receipt: randomBytes(12).toString("base64url"),
  };
  store.putDelivery(message, delivery);
  const attributes = chosenAttributes(message.attributes, input.MessageAttributeNames ?? []);
  return {
    MessageId: message.messageId,
    ReceiptHandle: encodeReceipt(message, delivery),
    Body: message.body,
    MD5OfBody: md5OfText(message.body),
    ...systemAttributes(input, message, delivery),
    ...(Object.keys(attributes).length === 0
      ? {}
      : {
          MessageAttributes: shownAttributes(attributes),
          MD5OfMessageAttributes: md5OfAttributes(attributes),
        }),
  };
}

function systemAttributes(
  input: ReceiveMessageCommandInput,
  message: MessageRecord,
  delivery: DeliveryRecord,
) {
  const wanted = new Set<string>([
    ...(input.MessageSystemAttributeNames ?? []),
    ...(input.AttributeNames ?? []),
  ]);
  if (wanted.size === 0) return {};
  const all: Record<string, string | undefined> = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentMs),
    ApproximateReceiveCount: String(delivery.receiveCount),
    ApproximateFirstReceiveTimestamp: String(delivery.firstReceivedMs),
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: message.deduplicationId === undefined ? undefined : sequenceText(message.sequence),
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
  const chosen = Object.entries(all).filter(
    ([name, value]) => value !== undefined && (wanted.has("All") || wanted.has(name)),
  );
  return { Attributes: Object.fromEntries(chosen) };
}

function chosenAttributes(attributes: Readonly<Record<string, StoredAttribute>>, wanted: readonly string[]) {
  const isWanted = (name: string) =>
    wanted.some((pattern) =>
      pattern.endsWith(".*") ? name.startsWith(pattern.slice(0, -2)) : pattern === "All" || pattern === name,
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isWanted(name)));
}

function shownAttributes(attributes: Readonly<Record<string, StoredAttribute>>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, text, base64 }]) => [
      name,
      {
        DataType: dataType,
        ...(base64 === undefined ? { StringValue: text } : { BinaryValue: Buffer.from(base64, "base64") }),
      },
    ]),
  );
}

/** A message received too often goes to the dead-letter queue instead of to one more receiver. */
function moveToDeadLetters(
  { store, queue, call }: QueueCall,
  message: MessageRecord,
  earlier: DeliveryRecord,
): boolean {
  const policy = redrivePolicyOf(queue);
  if (policy === undefined || earlier.receiveCount < policy.maxReceiveCount) return false;
  const [, , , region = "", accountId = "", name = ""] = policy.deadLetterTargetArn.split(":");
  const target = queueKey({ accountId, region, name });
  if (!store.queues.has(target)) return false;
  store.removeMessage(message);
  store.putMessage(
    {
      ...message,
      queueKey: target,
      sequence: store.nextSequence(),
      deadLetterSourceArn: queueArn(queue, call.partition),
    },
    { visibleAtMs: call.lab.clock.now(), receiveCount: 0 },
  );
  return true;
}
