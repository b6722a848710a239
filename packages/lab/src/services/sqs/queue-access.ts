import { AwsError } from "../../wire/aws-error.ts";
import type { Authorization, Call } from "../../wire/operation-handler.ts";
import { policyOf } from "./queue-attributes.ts";
import { queueKey, type QueueRecord } from "./queue-record.ts";
import { sqsStoreOf, type SqsStore } from "./sqs-store.ts";

export interface QueueCall {
  readonly call: Call;
  readonly store: SqsStore;
  readonly queue: QueueRecord;
  readonly key: string;
}

// What a queue policy can open to other accounts; the rest stays with the owner whatever the policy says.
const shareable = new Set([
  "sqs:SendMessage",
  "sqs:ReceiveMessage",
  "sqs:DeleteMessage",
  "sqs:ChangeMessageVisibility",
  "sqs:GetQueueAttributes",
  "sqs:GetQueueUrl",
  "sqs:ListDeadLetterSourceQueues",
  "sqs:PurgeQueue",
]);

/** Authorises `action` on the queue of that address and finds it. The order is AWS's: who isn't allowed learns nothing. */
export function openQueue(queueUrl: string | undefined, call: Call, action: string): QueueCall {
  const [name = "", accountId = ""] = (queueUrl ?? "").split("/").reverse();
  if (!/^\d{12}$/.test(accountId) || name === "") {
    throw new AwsError("InvalidAddress", `The address ${queueUrl} is not valid for this endpoint.`, {
      status: 404,
    });
  }
  return openNamedQueue({ accountId, name }, call, action);
}

interface QueueName {
  readonly accountId: string;
  readonly name: string;
}

export function openNamedQueue(named: QueueName, call: Call, action: string): QueueCall {
  const store = sqsStoreOf(call.lab);
  const key = queueKey({ ...named, region: call.region });
  const queue = store.queues.get(key);
  call.authorize(onQueue({ ...named, call, queue }, action));
  if (queue === undefined) throw noSuchQueue();
  return { call, store, queue, key };
}

interface QueueTarget extends QueueName {
  readonly call: Call;
  readonly queue: QueueRecord | undefined;
}

function onQueue({ call, name, accountId, queue }: QueueTarget, action: string): Authorization {
  const policy = queue === undefined || !shareable.has(action) ? undefined : policyOf(queue);
  const arn = queueArn({ name, accountId, region: call.region }, call.partition);
  return {
    action,
    resources: [{ arn, accountId, ...(queue ? { tags: queue.tags } : {}), ...(policy ? { policy } : {}) }],
  };
}

export function queueArn(
  { name, accountId, region }: Pick<QueueRecord, "name" | "accountId" | "region">,
  partition: string,
): string {
  return `arn:${partition}:sqs:${region}:${accountId}:${name}`;
}

export function queueUrl(queue: QueueRecord, call: Call): string {
  return `${call.lab.endpoint()}/${queue.accountId}/${queue.name}`;
}

export function noSuchQueue(): AwsError {
  return new AwsError("QueueDoesNotExist", "The specified queue does not exist.");
}
