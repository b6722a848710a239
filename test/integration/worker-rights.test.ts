import {
  CompleteSnapshotCommand,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import {
  CreateSnapshotCommand,
  DeleteSnapshotCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  RunInstancesCommand,
  CreateTagsCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  ListKeysCommand,
} from "@aws-sdk/client-kms";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { staticCredentials } from "@garrison/aws/aws-credentials";
import { openEbsSnapshotSource } from "@garrison/aws/ebs-snapshot-source";
import { findQueues } from "@garrison/aws/find-queues";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import {
  ebsReadPolicy,
  ebsWritePolicy,
  repositoryReadPolicy,
  repositoryWritePolicy,
} from "@garrison/aws/session-policies";
import { openSqsTransport } from "@garrison/aws/sqs-transport";
import { channelQueueNames } from "@garrison/channel/queue-names";
import { systemClock } from "@garrison/core/clock";
import { systemRandom } from "@garrison/core/random";
import { issueRoleCredentials } from "@garrison/lab/identity/issue-role-credentials";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { exportRole } from "@garrison/roles/export-role";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  backup,
  blockBytes,
  blockOf,
  bucket,
  createRole,
  createVolume,
  openWorkerLab,
  prefix,
  production,
  region,
  signal,
  snapshotVolume,
  startSnapshot,
  writeBlocks,
  type WorkerLab,
} from "./worker-lab.ts";

let lab: WorkerLab;
/** What exists in the account that the worker has no business with. */
interface Scene {
  readonly volumeId: string;
  readonly imageId: string;
  readonly keyArn: string;
  readonly ciphertext: Uint8Array;
}
let scene: Scene;
/** Snapshots of this task's run, and of another's. */
let own: string;
let other: string;
beforeAll(async () => {
  lab = await openWorkerLab();
  const volume = await createVolume(lab, 1);
  await writeBlocks(volume, { 0: blockOf("first"), 5: blockOf("second") });
  own = await snapshotVolume(lab, volume, "run-own");
  other = await snapshotVolume(lab, volume, "run-other");
  scene = { volumeId: volume.volumeId, ...(await findImage()), ...(await createKey()) };
});
afterAll(() => lab.stop());

async function findImage(): Promise<{ readonly imageId: string }> {
  const Name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
  const { Parameter } = await lab.operator.production.ssm().send(new GetParameterCommand({ Name }));
  return { imageId: Parameter!.Value! };
}

async function createKey(): Promise<{ readonly keyArn: string; readonly ciphertext: Uint8Array }> {
  const kms = lab.operator.production.kms();
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const sealed = await kms.send(
    new EncryptCommand({ KeyId: KeyMetadata!.Arn, Plaintext: new Uint8Array(32) }),
  );
  return { keyArn: KeyMetadata!.Arn!, ciphertext: sealed.CiphertextBlob! };
}

/** What the SDK gets on the instance: the worker role's credentials, issued as the metadata service does. */
async function openWorkerIdentity(): Promise<AwsClients> {
  const accounts = { backup, production };
  const { roleName: name, trust, inlinePolicies } = exportRole("worker", { accounts, externalId: "unused" });
  const policies = inlinePolicies.map(({ name, document }) => ({ name, document }));
  await createRole(lab.operator.production, { name, trust, policies, hasInstanceProfile: true });
  const session = issueRoleCredentials(lab.running.lab, {
    roleArn: `arn:aws:iam::${production}:role/${name}`,
    sessionName: "i-0123456789abcdef0",
    durationSeconds: 3600,
    trustPrincipal: "ec2.amazonaws.com",
  });
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return openAwsClients({
    region,
    credentials: async () => ({ accessKeyId, secretAccessKey, sessionToken }),
  });
}

const denied = {
  name: expect.stringMatching(/^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/),
};
const block = { BlockIndex: 0, BlockToken: "AAAA" };
const putBlock = {
  BlockIndex: 0,
  BlockData: new Uint8Array(blockBytes),
  DataLength: blockBytes,
  Checksum: "B4hXaQXJGj+7Jz2GQmxF9g9HQXlQrjW0vbQjHhnDjPs=",
  ChecksumAlgorithm: "SHA256",
} as const;
const object = { Bucket: bucket, Key: `${prefix}/garrison-repository` };

describe("the worker's own identity", () => {
  let worker: AwsClients;
  beforeAll(async () => {
    worker = await openWorkerIdentity();
  });
  afterAll(() => worker.close());

  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    "s3:ListAllMyBuckets": () => worker.s3().send(new ListBucketsCommand({})),
    "s3:ListBucket": () => worker.s3().send(new ListObjectsV2Command({ Bucket: bucket })),
    "s3:GetObject": () => worker.s3().send(new GetObjectCommand(object)),
    "s3:PutObject": () => worker.s3().send(new PutObjectCommand({ ...object, Body: "x" })),
    "s3:DeleteObject": () => worker.s3().send(new DeleteObjectCommand(object)),
    "ebs:ListSnapshotBlocks": () => worker.ebs().send(new ListSnapshotBlocksCommand({ SnapshotId: own })),
    "ebs:ListChangedBlocks": () =>
      worker.ebs().send(new ListChangedBlocksCommand({ FirstSnapshotId: own, SecondSnapshotId: other })),
    "ebs:GetSnapshotBlock": () =>
      worker.ebs().send(new GetSnapshotBlockCommand({ SnapshotId: own, ...block })),
    "ebs:PutSnapshotBlock": () =>
      worker.ebs().send(new PutSnapshotBlockCommand({ SnapshotId: own, ...putBlock })),
    "ebs:StartSnapshot": () => worker.ebs().send(new StartSnapshotCommand({ VolumeSize: 1 })),
    "ebs:CompleteSnapshot": () =>
      worker.ebs().send(new CompleteSnapshotCommand({ SnapshotId: own, ChangedBlocksCount: 1 })),
    "kms:ListKeys": () => worker.kms().send(new ListKeysCommand({})),
    "kms:DescribeKey": () => worker.kms().send(new DescribeKeyCommand({ KeyId: scene.keyArn })),
    "kms:GenerateDataKey": () =>
      worker.kms().send(new GenerateDataKeyCommand({ KeyId: scene.keyArn, KeySpec: "AES_256" })),
    "kms:Decrypt": () => worker.kms().send(new DecryptCommand({ CiphertextBlob: scene.ciphertext })),
    "ec2:DescribeInstances": () => worker.ec2().send(new DescribeInstancesCommand({})),
    "ec2:DescribeSnapshots": () => worker.ec2().send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] })),
    "ec2:CreateSnapshot": () => worker.ec2().send(new CreateSnapshotCommand({ VolumeId: scene.volumeId })),
    "ec2:DeleteSnapshot": () => worker.ec2().send(new DeleteSnapshotCommand({ SnapshotId: own })),
    "ec2:RunInstances": () =>
      worker.ec2().send(new RunInstancesCommand({ ImageId: scene.imageId, MinCount: 1, MaxCount: 1 })),
    "ec2:CreateTags": () =>
      worker
        .ec2()
        .send(new CreateTagsCommand({ Resources: [own], Tags: [{ Key: "garrison:run", Value: "run-own" }] })),
    "sqs:CreateQueue": () =>
      worker.sqs().send(new CreateQueueCommand({ QueueName: "garrison-0a1b2c3d-more" })),
  };

  test.each(Object.keys(calls))("is denied %s", async (action) => {
    await expect(calls[action]!()).rejects.toMatchObject(denied);
  });

  test("says on one queue, hears on the other, and can't remove them", async () => {
    const names = channelQueueNames({ installation: "0a1b2c3d", worker: "d4c3b2a1" });
    for (const QueueName of [names.toWorker, names.toAppliance])
      await lab.operator.production.sqs().send(new CreateQueueCommand({ QueueName }));
    const urls = await findQueues(worker, `${names.prefix}-`, { signal });
    expect(urls.map((url) => url.split("/").at(-1)).sort()).toEqual([names.toWorker, names.toAppliance]);
    const url = (name: string) => urls.find((each) => each.endsWith(name))!;
    const [own, others] = [worker, lab.operator.production];
    await openSqsTransport(own, url(names.toAppliance)).send("up", { signal });
    await openSqsTransport(others, url(names.toWorker)).send("down", { signal });
    const listening = openSqsTransport(own, url(names.toWorker));
    const received = await listening.receive({ signal, waitSeconds: 5 });
    expect(received.map((message) => message.body)).toEqual(["down"]);
    await listening.acknowledge([received[0]!.receipt], { signal });
    const refused = { code: "aws-access-denied" };
    await expect(listening.send("to itself", { signal })).rejects.toMatchObject(refused);
    const overhearing = openSqsTransport(own, url(names.toAppliance)).receive({ signal, waitSeconds: 0 });
    await expect(overhearing).rejects.toMatchObject(refused);
    await expect(worker.sqs().send(new DeleteQueueCommand({ QueueUrl: urls[0] }))).rejects.toMatchObject(
      denied,
    );
  });
});

const scope = { partition: "aws", bucket, prefix, domain: production };
const session = "00000000000000aa";

async function lentStore(policy: object, root = prefix): Promise<ObjectStore> {
  const credentials = staticCredentials(await lab.lend("backup", policy));
  return openS3ObjectStore({ clients: openAwsClients({ region, credentials }), bucket, prefix: root });
}

describe("the rights lent to a backup", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const pack = `${production}/pack/${session}/lane-00000000`;
  const accessDenied = { code: "store-access-denied" };
  let store: ObjectStore;
  beforeAll(async () => {
    store = await lentStore(repositoryWritePolicy({ ...scope, sessionId: session }));
    await lab.store.create("444444444444/point/series/one", bytes, { signal });
  });

  test("create objects of its session, once", async () => {
    expect(await store.create(pack, bytes, { signal })).toBe("created");
    expect(await store.create(pack, bytes, { signal })).toBe("exists");
    expect(await store.read(pack, { signal })).toEqual(bytes);
  });

  test("do not overwrite, whatever the caller leaves out", async () => {
    const clients = openAwsClients({
      region,
      credentials: staticCredentials(
        await lab.lend("backup", repositoryWritePolicy({ ...scope, sessionId: session })),
      ),
    });
    const put = new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${pack}`, Body: "other bytes" });
    await expect(clients.s3().send(put)).rejects.toMatchObject(denied);
    clients.close();
  });

  test("do not delete", async () => {
    await expect(store.delete(pack, { signal })).rejects.toMatchObject(accessDenied);
  });

  test.each([
    ["another session's packs", `${production}/pack/00000000000000bb/lane-0`],
    ["another domain", `444444444444/pack/${session}/lane-0`],
    ["a tombstone", `${production}/end/series/${session}`],
    ["the repository's keys", "key/0000000000000000"],
  ])("do not create %s", async (_, key) => {
    await expect(store.create(key, bytes, { signal })).rejects.toMatchObject(accessDenied);
  });

  test.each([
    ["another domain's points", "444444444444/point/series/one"],
    ["another session's packs", `${production}/pack/00000000000000bb/lane-0`],
    ["the repository's header", "garrison-repository"],
  ])("do not read %s", async (_, key) => {
    await expect(store.read(key, { signal })).rejects.toMatchObject(accessDenied);
  });

  test("do not list another domain", async () => {
    const listing = Array.fromAsync(store.list("444444444444/point/", { signal }));
    await expect(listing).rejects.toMatchObject(accessDenied);
  });

  test("read this run's snapshots and no other", async () => {
    const policy = ebsReadPolicy({ partition: "aws", region, runs: ["run-own"], kmsKeyArns: [] });
    const clients = openAwsClients({
      region,
      credentials: staticCredentials(await lab.lend("production", policy)),
    });
    const dependencies = { clients, clock: systemClock, random: systemRandom };
    const source = await openEbsSnapshotSource({ ...dependencies, snapshotId: own }, { signal });
    const into = new Uint8Array(blockSizeBytes);
    for await (const reference of source.list({ signal })) await source.read(reference, into, { signal });
    const neighbour = openEbsSnapshotSource({ ...dependencies, snapshotId: other }, { signal });
    await expect(neighbour).rejects.toMatchObject({ code: "aws-access-denied" });
    const base = openEbsSnapshotSource(
      { ...dependencies, snapshotId: own, baseSnapshotId: other },
      { signal },
    );
    await expect(base).rejects.toMatchObject({ code: "aws-access-denied" });
    await expect(clients.ec2().send(new DeleteSnapshotCommand({ SnapshotId: own }))).rejects.toMatchObject(
      denied,
    );
    clients.close();
  });
});

describe("the rights lent to a restore", () => {
  test("only read the repository", async () => {
    const store = await lentStore(repositoryReadPolicy(scope));
    const key = `${production}/pack/${session}/lane-00000009`;
    await expect(store.create(key, new Uint8Array(1), { signal })).rejects.toMatchObject({
      code: "store-access-denied",
    });
    await expect(store.delete(key, { signal })).rejects.toMatchObject({ code: "store-access-denied" });
    await expect(store.read("444444444444/point/series/one", { signal })).rejects.toMatchObject({
      code: "store-access-denied",
    });
  });

  test("put blocks into their snapshot, and neither into another nor complete it", async () => {
    const [mine, foreign] = [await startSnapshot(lab, 1), await startSnapshot(lab, 1)];
    const policy = ebsWritePolicy({ partition: "aws", region, snapshotIds: [mine], kmsKeyArns: [] });
    const clients = openAwsClients({
      region,
      credentials: staticCredentials(await lab.lend("production", policy)),
    });
    const put = (SnapshotId: string) =>
      clients.ebs().send(new PutSnapshotBlockCommand({ SnapshotId, ...putBlock }));
    await expect(put(foreign)).rejects.toMatchObject(denied);
    await expect(put(mine)).rejects.not.toMatchObject(denied); // its checksum is wrong, its right is not
    const complete = new CompleteSnapshotCommand({ SnapshotId: mine, ChangedBlocksCount: 0 });
    await expect(clients.ebs().send(complete)).rejects.toMatchObject(denied);
    await expect(clients.ebs().send(new StartSnapshotCommand({ VolumeSize: 1 }))).rejects.toMatchObject(
      denied,
    );
    clients.close();
  });
});
