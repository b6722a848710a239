import type {
  CreateQueueCommandInput,
  DeleteQueueCommandInput,
  GetQueueAttributesCommandInput,
  GetQueueUrlCommandInput,
  ListDeadLetterSourceQueuesCommandInput,
  ListQueuesCommandInput,
  ListQueueTagsCommandInput,
  PurgeQueueCommandInput,
  SetQueueAttributesCommandInput,
  TagQueueCommandInput,
  UntagQueueCommandInput,
} from "@aws-sdk/client-sqs";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { openNamedQueue, openQueue, queueArn, queueUrl, type QueueCall } from "./queue-access.ts";
import {
  checkAttributes,
  numberAttribute,
  redrivePolicyOf,
  settingsOf,
  withoutEmpty,
} from "./queue-attributes.ts";
import { queueKey, type QueueRecord } from "./queue-record.ts";
import { sqsStoreOf } from "./sqs-store.ts";

const reuseAfterMs = 60_000;

export function createQueue(input: CreateQueueCommandInput, call: Call) {
  const name = input.QueueName ?? "";
  const store = sqsStoreOf(call.lab);
  const identity = { accountId: call.accountId, region: call.region, name };
  const key = queueKey(identity);
  const tags = input.tags ?? {};
  const resource = { arn: queueArn(identity, call.partition), accountId: call.accountId };
  call.authorize({ action: "sqs:CreateQueue", resources: [resource], context: requestTags(tags) });
  if (Object.keys(tags).length > 0) {
    call.authorize({ action: "sqs:TagQueue", resources: [resource], context: requestTags(tags) });
  }
  checkName(name, input.Attributes ?? {});
  const attributes = withoutEmpty(input.Attributes ?? {});
  checkAttributes(name, attributes);
  const existing = store.queues.get(key);
  if (existing !== undefined) {
    checkSameAttributes(existing, attributes);
    return { QueueUrl: queueUrl(existing, call) };
  }
  const nowMs = call.lab.clock.now();
  if (nowMs - (store.deletedAtMs.get(key) ?? -reuseAfterMs) < reuseAfterMs) {
    throw new AwsError(
      "QueueDeletedRecently",
      "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    );
  }
  const queue: QueueRecord = { ...identity, createdMs: nowMs, modifiedMs: nowMs, attributes, tags };
  store.deletedAtMs.delete(key);
  store.queues.put(key, queue);
  return { QueueUrl: queueUrl(queue, call) };
}

function requestTags(tags: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const names = Object.keys(tags);
  if (names.length === 0) return {};
  const values = Object.entries(tags).map(([name, value]) => [`aws:RequestTag/${name}`, value]);
  return { ...Object.fromEntries(values), "aws:TagKeys": names };
}

function checkName(name: string, attributes: Readonly<Record<string, string>>): void {
  const fifo = attributes["FifoQueue"] === "true";
  const bare = fifo && name.endsWith(".fifo") ? name.slice(0, -5) : name;
  if (/^[A-Za-z0-9_-]{1,80}$/.test(bare) && name.length <= 80 && fifo === name.endsWith(".fifo")) return;
  throw new AwsError(
    "InvalidParameterValue",
    fifo
      ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
      : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
  );
}

/** Creating again is fine as long as every attribute that is named has the value it has. */
function checkSameAttributes(existing: QueueRecord, asked: Readonly<Record<string, string>>): void {
  const current = settingsOf(existing);
  const different = Object.entries(asked).find(([name, value]) => current[name] !== value);
  if (different === undefined) return;
  throw new AwsError(
    "QueueNameExists",
    `A queue already exists with the same name and a different value for attribute ${different[0]}`,
  );
}

export function deleteQueue(input: DeleteQueueCommandInput, call: Call) {
  const { store, queue } = openQueue(input.QueueUrl, call, "sqs:DeleteQueue");
  store.removeQueue(queue, call.lab.clock.now());
  return {};
}

export function getQueueUrl(input: GetQueueUrlCommandInput, call: Call) {
  const named = { name: input.QueueName ?? "", accountId: input.QueueOwnerAWSAccountId ?? call.accountId };
  const { queue } = openNamedQueue(named, call, "sqs:GetQueueUrl");
  return { QueueUrl: queueUrl(queue, call) };
}

export function listQueues(input: ListQueuesCommandInput, call: Call) {
  const store = sqsStoreOf(call.lab);
  const arn = queueArn({ accountId: call.accountId, region: call.region, name: "*" }, call.partition);
  call.authorize({ action: "sqs:ListQueues", resources: [{ arn, accountId: call.accountId }] });
  const { QueueNamePrefix = "", NextToken, MaxResults = 1000 } = input;
  if (MaxResults < 1 || MaxResults > 1000) {
    throw new AwsError(
      "InvalidParameterValue",
      "Value for parameter MaxResults is invalid. Reason: Must be an integer from 1 to 1000.",
    );
  }
  const after = NextToken === undefined ? "" : Buffer.from(NextToken, "base64").toString();
  const own = [...store.queues.values()]
    .filter(({ accountId, region }) => accountId === call.accountId && region === call.region)
    .filter(({ name }) => name.startsWith(QueueNamePrefix) && name > after)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const page = own.slice(0, MaxResults);
  const last = own.length > page.length && input.MaxResults !== undefined ? page.at(-1) : undefined;
  return {
    ...(page.length === 0 ? {} : { QueueUrls: page.map((queue) => queueUrl(queue, call)) }),
    ...(last === undefined ? {} : { NextToken: Buffer.from(last.name).toString("base64") }),
  };
}

export function getQueueAttributes(input: GetQueueAttributesCommandInput, call: Call) {
  const at = openQueue(input.QueueUrl, call, "sqs:GetQueueAttributes");
  const all = attributesOf(at);
  const wanted = new Set<string>(input.AttributeNames ?? []);
  if (wanted.has("All")) return { Attributes: all };
  const unknown = [...wanted].find((name) => !(name in all) && !optionalAttributes.has(name));
  if (unknown !== undefined) throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown}.`);
  const chosen = Object.entries(all).filter(([name]) => wanted.has(name));
  return chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) };
}

const optionalAttributes = new Set([
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
]);

function attributesOf({ call, store, queue, key }: QueueCall): Record<string, string> {
  const nowMs = call.lab.clock.now();
  store.expire(queue, { nowMs, retentionMs: numberAttribute(queue, "MessageRetentionPeriod") * 1000 });
  const counts = store.messagesOf(key).counts(nowMs);
  return {
    ...settingsOf(queue),
    QueueArn: queueArn(queue, call.partition),
    CreatedTimestamp: String(Math.floor(queue.createdMs / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedMs / 1000)),
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
  };
}

export function setQueueAttributes(input: SetQueueAttributesCommandInput, call: Call) {
  const { store, queue, key } = openQueue(input.QueueUrl, call, "sqs:SetQueueAttributes");
  const changes = input.Attributes ?? {};
  checkAttributes(queue.name, changes);
  if ("FifoQueue" in changes) throw new AwsError("InvalidAttributeName", "Unknown Attribute FifoQueue.");
  const attributes = withoutEmpty({ ...queue.attributes, ...changes });
  store.queues.put(key, { ...queue, attributes, modifiedMs: call.lab.clock.now() });
  store.messagesOf(key).wake();
  return {};
}

export function purgeQueue(input: PurgeQueueCommandInput, call: Call) {
  const { store, key } = openQueue(input.QueueUrl, call, "sqs:PurgeQueue");
  const nowMs = call.lab.clock.now();
  if (nowMs - (store.purgedAtMs.get(key) ?? -reuseAfterMs) < reuseAfterMs) {
    throw new AwsError(
      "PurgeQueueInProgress",
      "Only one PurgeQueue operation on a queue is allowed every 60 seconds.",
      { status: 403 },
    );
  }
  store.purgedAtMs.set(key, nowMs);
  store.removeAll(key);
  return {};
}

export function tagQueue(input: TagQueueCommandInput, call: Call) {
  const { store, queue, key } = openQueue(input.QueueUrl, call, "sqs:TagQueue");
  store.queues.put(key, { ...queue, tags: { ...queue.tags, ...input.Tags } });
  return {};
}

export function untagQueue(input: UntagQueueCommandInput, call: Call) {
  const { store, queue, key } = openQueue(input.QueueUrl, call, "sqs:UntagQueue");
  const gone = new Set(input.TagKeys ?? []);
  const tags = Object.fromEntries(Object.entries(queue.tags).filter(([name]) => !gone.has(name)));
  store.queues.put(key, { ...queue, tags });
  return {};
}

export function listQueueTags(input: ListQueueTagsCommandInput, call: Call) {
  const { queue } = openQueue(input.QueueUrl, call, "sqs:ListQueueTags");
  return { Tags: queue.tags };
}

export function listDeadLetterSourceQueues(input: ListDeadLetterSourceQueuesCommandInput, call: Call) {
  const { store, queue } = openQueue(input.QueueUrl, call, "sqs:ListDeadLetterSourceQueues");
  const arn = queueArn(queue, call.partition);
  const sources = [...store.queues.values()].filter(
    (other) => redrivePolicyOf(other)?.deadLetterTargetArn === arn,
  );
  return { queueUrls: sources.map((source) => queueUrl(source, call)) };
}
