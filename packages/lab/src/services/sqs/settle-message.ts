import type {
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityCommandInput,
  DeleteMessageBatchCommandInput,
  DeleteMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { runBatch } from "./batch-entries.ts";
import { openQueue, type QueueCall } from "./queue-access.ts";
import { isFifo } from "./queue-record.ts";
import { openReceipt } from "./receipt-handle.ts";
import { invalidParameter } from "./send-message.ts";

const longestInvisibleMs = 12 * 3_600_000;

export function deleteMessage(input: DeleteMessageCommandInput, call: Call) {
  return deleteByReceipt(openQueue(input.QueueUrl, call, "sqs:DeleteMessage"), input.ReceiptHandle);
}

export function deleteMessageBatch(input: DeleteMessageBatchCommandInput, call: Call) {
  const at = openQueue(input.QueueUrl, call, "sqs:DeleteMessage");
  return runBatch(input.Entries ?? [], ({ ReceiptHandle }) => deleteByReceipt(at, ReceiptHandle));
}

/** Deleting succeeds for what is gone already; with an old handle it succeeds too, and the message stays (standard queues). */
function deleteByReceipt(at: QueueCall, handle: string | undefined): object {
  const open = openReceipt(at, handle);
  if (open === undefined) return {};
  const expired = open.delivery.visibleAtMs <= at.call.lab.clock.now();
  if (isFifo(at.queue) && (!open.latest || expired)) {
    throw invalidParameter(
      `Value ${handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
    );
  }
  if (open.latest) at.store.removeMessage(open.message);
  return {};
}

export function changeMessageVisibility(input: ChangeMessageVisibilityCommandInput, call: Call) {
  return changeByReceipt(openQueue(input.QueueUrl, call, "sqs:ChangeMessageVisibility"), input);
}

export function changeMessageVisibilityBatch(input: ChangeMessageVisibilityBatchCommandInput, call: Call) {
  const at = openQueue(input.QueueUrl, call, "sqs:ChangeMessageVisibility");
  return runBatch(input.Entries ?? [], (entry) => changeByReceipt(at, entry));
}

interface VisibilityChange {
  readonly ReceiptHandle: string | undefined;
  readonly VisibilityTimeout?: number | undefined;
}

function changeByReceipt(at: QueueCall, { ReceiptHandle, VisibilityTimeout }: VisibilityChange): object {
  if (VisibilityTimeout === undefined || VisibilityTimeout < 0 || VisibilityTimeout > 43_200) {
    throw invalidParameter(
      `Value ${VisibilityTimeout} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.`,
    );
  }
  const nowMs = at.call.lab.clock.now();
  const open = openReceipt(at, ReceiptHandle);
  if (open === undefined || !open.latest || open.delivery.visibleAtMs <= nowMs) {
    throw new AwsError(
      "MessageNotInflight",
      `Value ${ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  }
  const visibleAtMs = nowMs + VisibilityTimeout * 1000;
  if (visibleAtMs - (open.delivery.firstReceivedMs ?? nowMs) > longestInvisibleMs) {
    throw invalidParameter(
      `Value ${VisibilityTimeout} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].`,
    );
  }
  at.store.putDelivery(open.message, { ...open.delivery, visibleAtMs });
  return {};
}
