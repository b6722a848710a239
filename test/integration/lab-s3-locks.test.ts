import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { FaultRule } from "@garrison/lab/wire/faults";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

const region = "eu-central-1";
const account = "111111111111";
const Bucket = "locks-under-test";
const dayMs = 86_400_000;
let folder: string;
let lab: RunningLab;
let owner: S3Client;

const open = (credentials: { accessKeyId: string; secretAccessKey: string }, more: object = {}) =>
  new S3Client({
    endpoint: lab.endpoint,
    region,
    forcePathStyle: true,
    credentials,
    maxAttempts: 1,
    ...more,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-s3-locks-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  owner = open(lab.operators[account]!);
  await owner.send(
    new CreateBucketCommand({
      Bucket,
      CreateBucketConfiguration: { LocationConstraint: region },
      ObjectLockEnabledForBucket: true,
    }),
  );
});

afterEach(() => lab.lab.faults.clear());

afterAll(async () => {
  owner.destroy();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "success",
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) =>
      `${error.name} ${error.$metadata?.httpStatusCode}`,
  );

const days = (count: number) => new Date(lab.lab.clock.now() + count * dayMs);
const lock = (until: Date, mode: "GOVERNANCE" | "COMPLIANCE" = "GOVERNANCE") => ({
  ObjectLockMode: mode,
  ObjectLockRetainUntilDate: until,
});

test("a lock is refused in the past, and without a checksum over what is locked", async () => {
  const put = (s3: S3Client, until: Date) =>
    outcome(s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ...lock(until) })));
  expect(await put(owner, days(-1))).toBe("InvalidArgument 400");
  const bare = open(lab.operators[account]!, { requestChecksumCalculation: "WHEN_REQUIRED" });
  bare.middlewareStack.add(
    (next) => (call) => {
      const { headers } = call.request as { headers: Record<string, string> };
      for (const name of Object.keys(headers)) if (/checksum|trailer/.test(name)) delete headers[name];
      return next(call);
    },
    { step: "build", priority: "low" },
  );
  expect(await put(bare, days(1))).toBe("InvalidRequest 400");
  bare.destroy();
  expect(await put(owner, days(1))).toBe("success");
});

test("a locked version stays, whoever deletes it; its lock is prolonged and not shortened", async () => {
  for (const mode of ["GOVERNANCE", "COMPLIANCE"] as const) {
    const Key = `held ${mode}`;
    const { VersionId } = await owner.send(
      new PutObjectCommand({ Bucket, Key, Body: "x", ...lock(days(2), mode) }),
    );
    const remove = () => outcome(owner.send(new DeleteObjectCommand({ Bucket, Key, VersionId })));
    const retain = (until: Date) =>
      outcome(
        owner.send(
          new PutObjectRetentionCommand({
            Bucket,
            Key,
            VersionId,
            Retention: { Mode: mode, RetainUntilDate: until },
          }),
        ),
      );
    expect(await remove()).toBe("AccessDenied 403");
    expect(await retain(days(1))).toBe("AccessDenied 403");
    expect(await retain(days(3))).toBe("success");
    expect(await outcome(owner.send(new DeleteObjectCommand({ Bucket, Key })))).toBe("success");
    expect(await outcome(owner.send(new GetObjectCommand({ Bucket, Key, VersionId })))).toBe("success");
  }
});

test("a delete marker has no lock and no bytes", async () => {
  await owner.send(new PutObjectCommand({ Bucket, Key: "hidden", Body: "x" }));
  const { VersionId } = await owner.send(new DeleteObjectCommand({ Bucket, Key: "hidden" }));
  const marker = { Bucket, Key: "hidden", VersionId };
  expect(await outcome(owner.send(new GetObjectRetentionCommand(marker)))).toBe("MethodNotAllowed 405");
  expect(await outcome(owner.send(new GetObjectCommand(marker)))).toBe("MethodNotAllowed 405");
});

test("how long somebody may lock can be capped in days", async () => {
  const iam = new IAMClient({ endpoint: lab.endpoint, region, credentials: lab.operators[account]! });
  await iam.send(new CreateUserCommand({ UserName: "capped" }));
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${Bucket}/*` },
      {
        Effect: "Allow",
        Action: "s3:PutObjectRetention",
        Resource: `arn:aws:s3:::${Bucket}/*`,
        Condition: { NumericLessThanEquals: { "s3:object-lock-remaining-retention-days": "10" } },
      },
    ],
  });
  await iam.send(new PutUserPolicyCommand({ UserName: "capped", PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "capped" }));
  const capped = open({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
  const put = (Key: string, until: Date) =>
    outcome(capped.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...lock(until) })));
  expect(await put("capped", days(9.5))).toBe("success");
  expect(await put("capped", days(10.5))).toBe("AccessDenied 403");
  const retain = (until: Date) =>
    outcome(
      capped.send(
        new PutObjectRetentionCommand({
          Bucket,
          Key: "capped",
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: until },
        }),
      ),
    );
  expect(await retain(days(9.9))).toBe("success");
  expect(await retain(days(36_500))).toBe("AccessDenied 403");
  capped.destroy();
});

test("times of versions are whole seconds", async () => {
  await owner.send(new PutObjectCommand({ Bucket, Key: "second", Body: "x" }));
  await owner.send(new DeleteObjectCommand({ Bucket, Key: "second" }));
  const page = await owner.send(new ListObjectVersionsCommand({ Bucket, Prefix: "second" }));
  const times = [...page.Versions!, ...page.DeleteMarkers!].map((each) => each.LastModified!.getTime());
  expect(times.map((time) => time % 1000)).toEqual([0, 0]);
});

const meet = (rule: Omit<FaultRule, "id" | "service">) =>
  lab.lab.faults.add({ service: "s3", count: 1, ...rule });

test("a fault can lose the answer of a call that happened", async () => {
  meet({ operation: "PutObject", fault: "lost" });
  const put = new PutObjectCommand({ Bucket, Key: "lost", Body: "x" });
  await expect(owner.send(put)).rejects.toThrow(/socket hang up|ECONNRESET/);
  expect((await owner.send(new HeadObjectCommand({ Bucket, Key: "lost" }))).ContentLength).toBe(1);
});

test("a fault can cut an answer in half, or let it come slowly", async () => {
  const Body = Buffer.alloc(300_000, 7);
  await owner.send(new PutObjectCommand({ Bucket, Key: "body", Body }));
  const read = async () => {
    const answer = await owner.send(new GetObjectCommand({ Bucket, Key: "body" }));
    return answer.Body!.transformToByteArray();
  };
  meet({ operation: "GetObject", fault: "cut" });
  await expect(read()).rejects.toThrow(/aborted|ECONNRESET/);
  meet({ operation: "GetObject", fault: "slow", latencyMs: 80 });
  expect(Buffer.compare(await read(), Body)).toBe(0);
  expect(lab.lab.faults.list().map((rule) => rule.hits)).toEqual([1, 1]);
});

test("a fault can make a conditional write a conflict", async () => {
  meet({ operation: "PutObject", fault: "conflict" });
  const put = new PutObjectCommand({ Bucket, Key: "conflict", Body: "x", IfNoneMatch: "*" });
  expect(await outcome(owner.send(put))).toBe("ConditionalRequestConflict 409");
  expect(await outcome(owner.send(put))).toBe("success");
});

test("clients that go away in the middle of a body do the lab no harm", async () => {
  for (let turn = 0; turn < 8; turn++) {
    const stop = new AbortController();
    const put = new PutObjectCommand({ Bucket, Key: `gone-${turn}`, Body: Buffer.alloc(8_000_000) });
    const sent = owner.send(put, { abortSignal: stop.signal }).catch(() => undefined);
    for (let waits = 0; waits <= turn; waits++) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await sent;
  }
  expect(await outcome(owner.send(new PutObjectCommand({ Bucket, Key: "after", Body: "x" })))).toBe(
    "success",
  );
});
