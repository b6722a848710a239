import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestHandler } from "@garrison/aws/request-handler";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { systemClock } from "@garrison/core/clock";
import { systemRandom } from "@garrison/core/random";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { FaultKind, FaultRule } from "@garrison/lab/wire/faults";
import { openCountingObjectStore } from "@garrison/repository/store/counting-object-store";
import { describeObjectStore } from "@garrison/repository/store/object-store-contract";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";

const region = "eu-central-1";
const bucket = "store-faults";
const silenceMs = 500;
const pageKeys = 40;
const policy = { maxAttempts: 12, baseDelayMs: 0, maxDelayMs: 0 };
let folder: string;
let lab: RunningLab;
let s3: S3Client;
let used = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-s3-faults-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  s3 = new S3Client({
    region,
    endpoint: lab.endpoint,
    credentials: lab.operators["111111111111"]!,
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: requestHandler(16, silenceMs),
  });
  // Short pages: listings break in many places.
  s3.middlewareStack.add(
    (next) => async (call) => next({ ...call, input: { ...call.input, MaxKeys: pageKeys } }),
    { step: "initialize" },
  );
  const location = { CreateBucketConfiguration: { LocationConstraint: region } } as const;
  await s3.send(new CreateBucketCommand({ Bucket: bucket, ...location, ObjectLockEnabledForBucket: true }));
});

afterAll(async () => {
  s3.destroy();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The first two calls of each test meet the fault, and then a tenth of all. Each silence costs half a second. */
const shares: Readonly<Partial<Record<FaultKind, number>>> = {
  throttle: 0.1,
  error500: 0.1,
  error503: 0.1,
  drop: 0.1,
  timeout: 0.002,
  latency: 0.02,
  lost: 0.1,
  cut: 0.1,
  slow: 0.02,
};

for (const [fault, probability] of Object.entries(shares) as [FaultKind, number][]) {
  describeObjectStore(`a bucket whose answers meet ${fault}`, async () => {
    const rule: Omit<FaultRule, "id"> = { service: "s3", fault, latencyMs: 40 };
    lab.lab.faults.clear();
    lab.lab.faults.add({ ...rule, count: 2 });
    lab.lab.faults.add({ ...rule, probability, seed: `${fault} ${used}` });
    const options = { clients: { s3: () => s3 }, bucket, prefix: `test-${used++}` };
    const counted = openCountingObjectStore(
      openS3ObjectStore({ ...options, versions: { lockMode: "governance" } }),
    );
    return {
      store: openRetryingObjectStore({ clock: systemClock, random: systemRandom, policy }, counted),
      losesAnswers: true,
      pageKeys,
      close: async () => {
        const [first] = lab.lab.faults.list();
        const { creates, reads, lists, deletes } = counted.counts;
        if (creates + reads + lists + deletes > 0) expect(first!.hits).toBe(2);
      },
    };
  });
}

test("what each answer to a conditional creation means", async () => {
  const call = { signal: new AbortController().signal };
  const store = openS3ObjectStore({ clients: { s3: () => s3 }, bucket, prefix: "answers" });
  const create = (key: string) => store.create(key, Buffer.from("bytes"), call);
  const meet = (fault: FaultKind) => {
    lab.lab.faults.clear();
    lab.lab.faults.add({ service: "s3", operation: "PutObject", fault, count: 1 });
  };
  lab.lab.faults.clear();
  expect(await create("new")).toBe("created");
  expect(await create("new")).toBe("exists");
  for (const fault of ["conflict", "throttle", "error500", "error503", "drop", "timeout"] as const) {
    meet(fault);
    await expect(create(fault), fault).rejects.toMatchObject({ code: "store-unavailable", retryable: true });
    expect(await create(fault), fault).toBe("created");
    expect(lab.lab.faults.list()[0]!.hits).toBe(1);
  }
  meet("lost");
  await expect(create("lost")).rejects.toMatchObject({ code: "store-unavailable" });
  expect(await create("lost")).toBe("exists");
  meet("expired");
  await expect(create("expired")).rejects.toMatchObject({ code: "store-credentials-expired" });
});
