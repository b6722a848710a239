import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { setQueueDisorder } from "@garrison/lab/services/sqs/sqs-store";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const region = "eu-central-1";
let folder: string;
let lab: RunningLab;
let sqs: SQSClient;
let other: SQSClient;

function openClients(): void {
  const open = (account: string) =>
    new SQSClient({ endpoint: lab.endpoint, region, credentials: lab.operators[account]! });
  sqs = open("222222222222");
  other = open("111111111111");
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-sqs-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  openClients();
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

const create = async (QueueName: string, Attributes?: Record<string, string>) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, ...(Attributes ? { Attributes } : {}) }))).QueueUrl!;
const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: object = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];
const nameOf = (work: Promise<unknown>) =>
  work.then(
    () => "success",
    (error: Error) => error.name,
  );

test("a queue is made once, found by name and prefix, and its address is the lab's", async () => {
  const url = await create("garrison-aaaa-in");
  expect(url).toBe(`${lab.endpoint}/222222222222/garrison-aaaa-in`);
  expect(await create("garrison-aaaa-in")).toBe(url);
  expect(await nameOf(create("garrison-aaaa-in", { DelaySeconds: "5" }))).toBe("QueueNameExists");
  expect((await sqs.send(new GetQueueUrlCommand({ QueueName: "garrison-aaaa-in" }))).QueueUrl).toBe(url);
  expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "garrison-aaaa" }))).QueueUrls).toEqual([
    url,
  ]);
  expect(await nameOf(sqs.send(new GetQueueUrlCommand({ QueueName: "absent" })))).toBe("QueueDoesNotExist");
});

test("lists are paged", async () => {
  for (const index of [1, 2, 3]) await create(`page-${index}`);
  const first = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "page-", MaxResults: 2 }));
  expect(first.QueueUrls).toHaveLength(2);
  const NextToken = first.NextToken;
  const second = await sqs.send(
    new ListQueuesCommand({ QueueNamePrefix: "page-", MaxResults: 2, NextToken }),
  );
  expect(second.QueueUrls).toHaveLength(1);
  expect(second.NextToken).toBeUndefined();
});

test("a message is hidden while it is worked on, comes back, and goes when deleted", async () => {
  const url = await create("visibility");
  await send(url, "one", {
    MessageAttributes: {
      kind: { DataType: "String", StringValue: "test" },
      raw: { DataType: "Binary", BinaryValue: Buffer.from([1, 2]) },
    },
  });
  const [first] = await receive(url, {
    VisibilityTimeout: 60,
    MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["All"],
  });
  expect(first).toMatchObject({ Body: "one", MessageAttributes: { kind: { StringValue: "test" } } });
  expect(first!.Attributes).toMatchObject({ ApproximateReceiveCount: "1" });
  expect(await receive(url)).toEqual([]);
  await sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: first!.ReceiptHandle!,
      VisibilityTimeout: 0,
    }),
  );
  const [again] = await receive(url, { MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
  expect(again!.Attributes).toEqual({ ApproximateReceiveCount: "2" });
  // An old handle succeeds without deleting.
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first!.ReceiptHandle! }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  expect(Attributes).toMatchObject({
    ApproximateNumberOfMessagesNotVisible: "1",
    MaximumMessageSize: "1048576",
  });
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again!.ReceiptHandle! }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again!.ReceiptHandle! }));
  expect(
    (
      await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: ["ApproximateNumberOfMessagesNotVisible"],
        }),
      )
    ).Attributes,
  ).toEqual({ ApproximateNumberOfMessagesNotVisible: "0" });
});

test("a long poll ends with the first message, and with its request", async () => {
  const url = await create("long-poll");
  const waiting = receive(url, { WaitTimeSeconds: 20 });
  await send(url, "at last");
  expect((await waiting)[0]?.Body).toBe("at last");
  const stop = new AbortController();
  const aborted = nameOf(
    sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }), { abortSignal: stop.signal }),
  );
  setTimeout(() => stop.abort(), 50);
  expect(await aborted).toBe("AbortError");
});

test("batches report each entry", async () => {
  const url = await create("batches");
  const Entries = [
    { Id: "a", MessageBody: "1" },
    { Id: "b", MessageBody: "bad \u0001" },
    { Id: "c", MessageBody: "3" },
  ];
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
  expect(sent.Successful?.map(({ Id }) => Id)).toEqual(["a", "c"]);
  expect(sent.Failed?.[0]).toMatchObject({ Id: "b", Code: "InvalidMessageContents" });
  const messages = await receive(url);
  const deletions = messages.map(({ ReceiptHandle }, index) => ({
    Id: String(index),
    ReceiptHandle: ReceiptHandle!,
  }));
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: deletions }));
  expect(deleted.Successful).toHaveLength(2);
  expect(await nameOf(sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [] })))).toBe(
    "EmptyBatchRequest",
  );
});

test("sizes and contents are limited", async () => {
  const url = await create("limits", { MaximumMessageSize: "1024" });
  expect(await nameOf(send(url, "x".repeat(1024)))).toBe("success");
  expect(await nameOf(send(url, "x".repeat(1025)))).toBe("InvalidParameterValue");
  expect(await nameOf(send(url, "\u0000"))).toBe("InvalidMessageContents");
  expect(await nameOf(create("limits-2", { VisibilityTimeout: "43201" }))).toBe("InvalidAttributeValue");
});

test("a message that is received too often goes to the dead-letter queue", async () => {
  const dead = await create("dead");
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ["QueueArn"] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes!["QueueArn"], maxReceiveCount: 2 });
  const url = await create("alive", { RedrivePolicy, VisibilityTimeout: "0" });
  await send(url, "poison");
  expect(await receive(url)).toHaveLength(1);
  expect(await receive(url)).toHaveLength(1);
  expect(await receive(url)).toHaveLength(0);
  expect((await receive(dead))[0]?.Body).toBe("poison");
});

test("a FIFO queue keeps order by group and drops repetitions", async () => {
  const url = await create("orders.fifo", { FifoQueue: "true" });
  const order = (body: string, MessageGroupId: string, MessageDeduplicationId = body) =>
    send(url, body, { MessageGroupId, MessageDeduplicationId });
  const one = await order("a1", "a");
  expect((await order("a1 again", "a", "a1")).MessageId).toBe(one.MessageId);
  await order("a2", "a");
  await order("b1", "b");
  const [first] = await receive(url, { MaxNumberOfMessages: 1 });
  expect(first!.Body).toBe("a1");
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(["b1"]);
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first!.ReceiptHandle! }));
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(["a2"]);
  expect(await nameOf(create("not-fifo", { FifoQueue: "true" }))).toBe("InvalidParameterValue");
});

test("another account gets in by the queue's policy only, and never to manage it", async () => {
  const url = await create("shared");
  const body = new SendMessageCommand({ QueueUrl: url, MessageBody: "x" });
  expect(await nameOf(other.send(body))).toBe("AccessDeniedException");
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: "sqs:*",
      Resource: "*",
    },
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
  expect(await nameOf(other.send(body))).toBe("success");
  expect(await nameOf(other.send(new DeleteQueueCommand({ QueueUrl: url })))).toBe("AccessDeniedException");
});

test("tags, purge and deletion", async () => {
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: "tagged", tags: { "garrison:run": "run-1" } }),
  );
  expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ "garrison:run": "run-1" });
  await send(QueueUrl, "x");
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  expect(await receive(QueueUrl)).toEqual([]);
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  expect(await nameOf(send(QueueUrl, "x"))).toBe("QueueDoesNotExist");
  expect(await nameOf(create("tagged"))).toBe("QueueDeletedRecently");
});

test("disorder reorders and repeats, the same way for the same seed", async () => {
  const url = await create("disorder");
  setQueueDisorder(lab.lab, { seed: 7, reorder: 1, duplicate: 0.5 });
  for (let index = 0; index < 8; index++) await send(url, String(index));
  const bodies: string[] = [];
  for (let round = 0; round < 4; round++) bodies.push(...(await receive(url)).map(({ Body }) => Body!));
  setQueueDisorder(lab.lab);
  expect(new Set(bodies).size).toBe(8);
  expect(bodies.length).toBeGreaterThan(8);
  expect(bodies.slice(0, 8)).not.toEqual(bodies.slice(0, 8).sort());
});

test("messages outlive the lab's process", async () => {
  const url = await create("durable");
  await send(url, "kept");
  await lab.stop();
  lab = await startLab({ dataDir: folder, seed: "demo" });
  openClients();
  const moved = (await sqs.send(new GetQueueUrlCommand({ QueueName: "durable" }))).QueueUrl!;
  expect((await receive(moved))[0]?.Body).toBe("kept");
  expect(url).not.toBe("");
});
