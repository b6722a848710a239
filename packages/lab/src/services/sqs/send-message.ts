import { createHash, randomUUID } from "node:crypto";
import type {
  MessageAttributeValue,
  SendMessageBatchCommandInput,
  SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { runBatch } from "./batch-entries.ts";
import { md5OfAttributes, md5OfText } from "./message-digest.ts";
import { openQueue, type QueueCall } from "./queue-access.ts";
import { numberAttribute } from "./queue-attributes.ts";
import { isFifo, type MessageRecord, type StoredAttribute } from "./queue-record.ts";

type Entry = Omit<SendMessageCommandInput, "QueueUrl">;

export function sendMessage(input: SendMessageCommandInput, call: Call) {
  return sendEntry(openQueue(input.QueueUrl, call, "sqs:SendMessage"), input);
}

export function sendMessageBatch(input: SendMessageBatchCommandInput, call: Call) {
  const at = openQueue(input.QueueUrl, call, "sqs:SendMessage");
  const entries = input.Entries ?? [];
  const total = entries.reduce(
    (sum, entry) => sum + sizeOf(entry.MessageBody ?? "", storeAttributes(entry)),
    0,
  );
  const limit = numberAttribute(at.queue, "MaximumMessageSize");
  return runBatch(entries, (entry) => sendEntry(at, entry), { tooLong: total > Math.max(limit, 1_048_576) });
}

const deduplicationMs = 5 * 60_000;
// XML 1.0's characters: tab, line feed, carriage return, and from the blank on all but surrogates and two more.
const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

function sendEntry(at: QueueCall, entry: Entry) {
  const body = entry.MessageBody ?? "";
  const attributes = storeAttributes(entry);
  checkMessage(at, body, attributes);
  const fifo: OrderMembers = isFifo(at.queue) ? fifoMembers(at, entry) : { groupId: entry.MessageGroupId };
  const digests = { MD5OfMessageBody: md5OfText(body), MD5OfMessageAttributes: md5OfAttributes(attributes) };
  const nowMs = at.call.lab.clock.now();
  const known = deduplicationOf(at, fifo.deduplicationId, nowMs);
  if (known !== undefined) {
    return { ...digests, MessageId: known.messageId, SequenceNumber: sequenceText(known.sequence) };
  }
  const message: MessageRecord = {
    messageId: randomUUID(),
    queueKey: at.key,
    body,
    attributes,
    senderId: at.call.principal.userId,
    sentMs: nowMs,
    sequence: at.store.nextSequence(),
    ...fifo,
  };
  at.store.putMessage(message, { visibleAtMs: nowMs + delayOf(at, entry) * 1000, receiveCount: 0 });
  rememberDeduplication(at, message);
  return {
    ...digests,
    MessageId: message.messageId,
    ...(isFifo(at.queue) ? { SequenceNumber: sequenceText(message.sequence) } : {}),
  };
}

function checkMessage(
  { queue }: QueueCall,
  body: string,
  attributes: Readonly<Record<string, StoredAttribute>>,
): void {
  if (body === "") {
    throw new AwsError("MissingParameter", "The request must contain the parameter MessageBody.");
  }
  if (notXml.test(body)) {
    throw new AwsError(
      "InvalidMessageContents",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    );
  }
  const limit = numberAttribute(queue, "MaximumMessageSize");
  if (sizeOf(body, attributes) > limit) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`,
    );
  }
}

function sizeOf(body: string, attributes: Readonly<Record<string, StoredAttribute>>): number {
  let size = Buffer.byteLength(body);
  for (const [name, { dataType, text = "", base64 = "" }] of Object.entries(attributes)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(dataType) + Buffer.byteLength(text);
    size += Buffer.from(base64, "base64").length;
  }
  return size;
}

function storeAttributes({
  MessageAttributes = {},
}: Pick<Entry, "MessageAttributes">): Record<string, StoredAttribute> {
  const entries = Object.entries(MessageAttributes);
  if (entries.length > 10)
    throw invalidParameter("Number of message attributes [11] exceeds the allowed maximum [10].");
  return Object.fromEntries(entries.map(([name, value]) => [name, storeAttribute(name, value)]));
}

function storeAttribute(name: string, value: MessageAttributeValue): StoredAttribute {
  const { DataType: dataType = "", StringValue, BinaryValue } = value;
  if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^(aws|amazon)\./i.test(name)) {
    throw invalidParameter(`Invalid message attribute name: ${name}`);
  }
  if (!/^(String|Number|Binary)(\..+)?$/.test(dataType)) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  if (dataType.startsWith("Binary"))
    return { dataType, base64: Buffer.from(BinaryValue ?? []).toString("base64") };
  if (!StringValue)
    throw invalidParameter(
      `The message attribute '${name}' must contain a non-empty message attribute value.`,
    );
  return { dataType, text: StringValue };
}

function delayOf({ queue }: QueueCall, { DelaySeconds }: Entry): number {
  if (DelaySeconds === undefined) return numberAttribute(queue, "DelaySeconds");
  if (isFifo(queue) || DelaySeconds < 0 || DelaySeconds > 900) {
    throw invalidParameter(
      `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.`,
    );
  }
  return DelaySeconds;
}

interface OrderMembers {
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
}

function fifoMembers({ queue }: QueueCall, entry: Entry): OrderMembers {
  if (!entry.MessageGroupId)
    throw new AwsError("MissingParameter", "The request must contain the parameter MessageGroupId.");
  const byContent = queue.attributes["ContentBasedDeduplication"] === "true";
  const deduplicationId =
    entry.MessageDeduplicationId ??
    (byContent
      ? createHash("sha256")
          .update(entry.MessageBody ?? "")
          .digest("hex")
      : undefined);
  if (deduplicationId === undefined) {
    throw invalidParameter(
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  }
  return { groupId: entry.MessageGroupId, deduplicationId };
}

function deduplicationOf(at: QueueCall, deduplicationId: string | undefined, nowMs: number) {
  if (deduplicationId === undefined) return undefined;
  const known = at.store.deduplicated.get(`${at.key}/${deduplicationId}`);
  return known !== undefined && known.untilMs > nowMs ? known : undefined;
}

function rememberDeduplication(
  at: QueueCall,
  { messageId, sequence, deduplicationId, sentMs }: MessageRecord,
): void {
  if (deduplicationId === undefined) return;
  for (const [key, { untilMs }] of at.store.deduplicated.entries()) {
    if (untilMs <= sentMs) at.store.deduplicated.delete(key);
  }
  at.store.deduplicated.put(`${at.key}/${deduplicationId}`, {
    messageId,
    sequence,
    untilMs: sentMs + deduplicationMs,
  });
}

/** Sequence numbers are 20 digits with gaps, comparable as text. */
export function sequenceText(sequence: number): string {
  return `188${String(sequence * 256).padStart(17, "0")}`;
}

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValue", message);
}
