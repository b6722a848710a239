import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { readBucketProtection } from "@garrison/aws/read-bucket-protection";
import { openS3ObjectStore, type S3Versioning } from "@garrison/aws/s3-object-store";
import { systemClock } from "@garrison/core/clock";
import { systemRandom } from "@garrison/core/random";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { describeObjectStore } from "@garrison/repository/store/object-store-contract";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";

const region = "eu-central-1";
const call = { signal: new AbortController().signal };
const dependencies = { clock: systemClock, random: systemRandom };
let folder: string;
let lab: RunningLab;
let clients: AwsClients;
let used = 0;

const buckets: Readonly<Record<string, { readonly versions?: S3Versioning }>> = {
  plain: {},
  versioned: { versions: {} },
  governance: { versions: { lockMode: "governance" } },
  compliance: { versions: { lockMode: "compliance" } },
};

async function makeBucket(Bucket: string, versions: S3Versioning | undefined): Promise<void> {
  const s3 = clients.s3();
  const location = { CreateBucketConfiguration: { LocationConstraint: region } } as const;
  await s3.send(
    new CreateBucketCommand({
      Bucket,
      ...location,
      ObjectLockEnabledForBucket: versions?.lockMode !== undefined,
    }),
  );
  if (versions !== undefined && versions.lockMode === undefined) {
    const enabled = { Bucket, VersioningConfiguration: { Status: "Enabled" } } as const;
    await s3.send(new PutBucketVersioningCommand(enabled));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-s3-store-"));
  lab = await startLab({ dataDir: folder, seed: "demo" });
  const keys = lab.operators["111111111111"]!;
  clients = openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys });
  for (const [name, { versions }] of Object.entries(buckets)) await makeBucket(`store-${name}`, versions);
});

afterAll(async () => {
  clients.close();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

for (const [name, versioning] of Object.entries(buckets)) {
  describeObjectStore(`a ${name} bucket`, async () => ({
    store: openRetryingObjectStore(
      dependencies,
      openS3ObjectStore({ clients, bucket: `store-${name}`, prefix: `test-${used++}`, ...versioning }),
    ),
  }));
}

test("a bucket says what it keeps", async () => {
  const ask = (name: string) => readBucketProtection({ ...dependencies, clients }, `store-${name}`, call);
  expect(await ask("plain")).toEqual({ isKnown: true });
  expect(await ask("versioned")).toEqual({ isKnown: true, versions: {} });
  expect(await ask("governance")).toEqual({ isKnown: true, versions: { lockMode: "governance" } });
  const rule = { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } } as const;
  await makeBucket("store-default", { lockMode: "compliance" });
  await clients.s3().send(
    new PutObjectLockConfigurationCommand({
      Bucket: "store-default",
      ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", Rule: rule },
    }),
  );
  expect(await ask("default")).toEqual({ isKnown: true, versions: { lockMode: "compliance" } });
});

test("a bucket that is busy is asked again, and one that may not be asked says so", async () => {
  const ask = () => readBucketProtection({ ...dependencies, clients }, "store-governance", call);
  const { faults } = lab.lab;
  faults.add({ service: "s3", operation: "GetBucketVersioning", fault: "throttle", count: 1 });
  faults.add({ service: "s3", operation: "GetObjectLockConfiguration", fault: "error500", count: 1 });
  expect(await ask()).toEqual({ isKnown: true, versions: { lockMode: "governance" } });
  expect(faults.list().map((rule) => rule.hits)).toEqual([1, 1]);
  faults.clear();
  const stranger = openAwsClients({
    region,
    endpoint: lab.endpoint,
    credentials: async () => lab.operators["222222222222"]!,
  });
  expect(
    await readBucketProtection({ ...dependencies, clients: stranger }, "store-governance", call),
  ).toEqual({ isKnown: false });
  stranger.close();
});

test("a bucket's default retention doesn't stop the keeper from locking for longer, in the object's own mode", async () => {
  const options = { clients, bucket: "store-default", prefix: "modes" };
  const made = openS3ObjectStore({ ...options, versions: { lockMode: "governance" } });
  await made.create("k", Buffer.from("x"), call);
  const [version] = await Array.fromAsync(made.versions!.list("k", call));
  const before = await made.versions!.readRetention(version!, call);
  expect(before?.mode).toBe("compliance");
  const untilMs = Math.floor(systemClock.now() / 1000) * 1000 + 2 * 86_400_000;
  await made.versions!.extendRetention(version!, untilMs, call);
  expect(await made.versions!.readRetention(version!, call)).toEqual({ mode: "compliance", untilMs });
});
