import { AwsError } from "../../wire/aws-error.ts";
import type { QueueCall } from "./queue-access.ts";
import type { DeliveryRecord, MessageRecord } from "./queue-record.ts";

/** Opaque to clients: the message and which of its deliveries. */
export function encodeReceipt({ messageId, queueKey }: MessageRecord, { receipt }: DeliveryRecord): string {
  return Buffer.from(JSON.stringify([queueKey, messageId, receipt])).toString("base64");
}

export interface OpenReceipt {
  readonly message: MessageRecord;
  readonly delivery: DeliveryRecord;
  /** Whether it is of the message's last delivery. */
  readonly latest: boolean;
}

/** The message of a handle; none when it was deleted since. */
export function openReceipt({ store, key }: QueueCall, handle: string | undefined): OpenReceipt | undefined {
  const [queueKey, messageId, receipt] = parseHandle(handle ?? "");
  if (queueKey !== key) throw invalidHandle(handle);
  const messages = store.messagesOf(key);
  const message = messages.message(messageId);
  if (message === undefined) return undefined;
  const delivery = messages.delivery(messageId);
  return { message, delivery, latest: delivery.receipt === receipt };
}

function parseHandle(handle: string): readonly [string, string, string] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(handle, "base64").toString());
    if (Array.isArray(parts) && parts.length === 3 && parts.every((part) => typeof part === "string")) {
      return parts as unknown as [string, string, string];
    }
  } catch {
    // Falls through: whatever it was, it isn't one of ours.
  }
  throw invalidHandle(handle);
}

function invalidHandle(handle: string | undefined): AwsError {
  return new AwsError(
    "ReceiptHandleIsInvalid",
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
    {
      status: 404,
    },
  );
}
