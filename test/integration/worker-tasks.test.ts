import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { staticCredentials } from "@garrison/aws/aws-credentials";
import { openBlockPace } from "@garrison/aws/ebs/block-pace";
import { openEbsSnapshotSource } from "@garrison/aws/ebs-snapshot-source";
import { findQueues } from "@garrison/aws/find-queues";
import {
  ebsReadPolicy,
  ebsWritePolicy,
  repositoryReadPolicy,
  repositoryWritePolicy,
} from "@garrison/aws/session-policies";
import { openSqsTransport } from "@garrison/aws/sqs-transport";
import { applianceSide, workerSide, type Channel } from "@garrison/channel/channel-options";
import { loadOrCreateChannel } from "@garrison/channel/channel-store";
import { memoryChannelStore } from "@garrison/channel/memory-channel-store";
import { messageTransportContract } from "@garrison/channel/message-transport-contract";
import type {
  ImageBackupResult,
  ImageBackupTask,
  ImageRestoreResult,
  RepositoryAccess,
  Task,
  TaskCredentials,
  TaskResult,
  ToAppliance,
  ToWorker,
} from "@garrison/channel/messages";
import { openChannel } from "@garrison/channel/open-channel";
import { publicKeysOf } from "@garrison/channel/peer-identity";
import { channelQueueNames } from "@garrison/channel/queue-names";
import { systemClock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import { sessionsOfPoint } from "@garrison/repository/point/read-point";
import { newLaneId, newSessionId } from "@garrison/repository/point/session-id";
import { runWorker, type WorkerEnd } from "@garrison/worker/run-worker";
import type { RunTask } from "@garrison/worker/task-context";
import { LentCredentials } from "@garrison/worker/task-credentials";
import { taskRunner } from "@garrison/worker/tasks/run-task";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  blockBytes,
  blockOf,
  bucket,
  completeSnapshot,
  createVolume,
  openWorkerLab,
  prefix,
  production,
  region,
  signal,
  snapshotVolume,
  startSnapshot,
  writeBlocks,
  type TestVolume,
  type WorkerLab,
} from "./worker-lab.ts";

const domain = production;
const base = { clock: systemClock, random: systemRandom, logger: silentLogger };
const dependencies = {
  ...base,
  blockPace: openBlockPace(systemClock, { perSecond: 900 }),
};
const runTask = taskRunner(dependencies);
/** Slow enough to be killed in the middle. */
const slowPace = () => openBlockPace(systemClock, { perSecond: 80 });

let lab: WorkerLab;
beforeAll(async () => {
  lab = await openWorkerLab();
});
afterAll(() => lab.stop());

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

function access(): RepositoryAccess {
  const keys = lab.repository.domainKeys(domain);
  return {
    url: `s3://${bucket}/${prefix}?region=${region}`,
    repositoryId: keys.repositoryId,
    domain,
    idKey: base64(keys.idKey),
    epochs: keys.epochs.map(({ epoch, mapKey, pointKey, controlPublicKey }) => ({
      epoch,
      mapKey: base64(mapKey),
      pointKey: base64(pointKey),
      controlPublicKey: base64(controlPublicKey),
    })),
  };
}

const scope = { partition: "aws", bucket, prefix, domain };

async function backupRights(runs: readonly string[], sessionId: string): Promise<TaskCredentials> {
  const data = ebsReadPolicy({ partition: "aws", region, runs, kmsKeyArns: [] });
  return {
    repository: await lab.lend("backup", repositoryWritePolicy({ ...scope, sessionId })),
    data: await lab.lend("production", data),
  };
}

async function restoreRights(snapshotIds: readonly string[]): Promise<TaskCredentials> {
  return {
    repository: await lab.lend("backup", repositoryReadPolicy(scope)),
    data: await lab.lend(
      "production",
      ebsWritePolicy({ partition: "aws", region, snapshotIds, kmsKeyArns: [] }),
    ),
  };
}

interface BackupOf {
  readonly volume: TestVolume;
  readonly snapshotId: string;
  readonly baseSnapshotId?: string;
  readonly parent?: string;
  readonly sessionId?: string;
}

function backupTask({ volume, snapshotId, baseSnapshotId, parent, ...given }: BackupOf): ImageBackupTask {
  const sessionId = given.sessionId ?? newSessionId(base);
  const { epoch } = lab.repository;
  const dataKey = base64(lab.repository.sessionDataKey(domain, sessionId, epoch));
  const { volumeId, sizeBytes } = volume;
  return {
    verb: "image-backup",
    region,
    repository: access(),
    session: { sessionId, laneId: newLaneId(systemRandom), epoch, dataKey },
    series: seriesOf(volume),
    parent,
    volumes: [{ volumeId, deviceName: "/dev/xvda", sizeBytes, snapshotId, baseSnapshotId }],
    description: { instanceId: "i-0123456789abcdef0" },
  };
}

const seriesOf = (volume: TestVolume) => `arn:aws:ec2:${region}:${production}:volume/${volume.volumeId}`;

/** Runs a task as a worker does, without one. */
function runDirectly(
  task: Task,
  rights: TaskCredentials,
  options: { readonly signal?: AbortSignal; readonly runTask?: RunTask } = {},
): Promise<TaskResult> {
  const stopping = options.signal ?? signal;
  const credentials = new LentCredentials(
    { clock: systemClock, askForNew: () => undefined },
    rights,
    stopping,
  );
  const run = options.runTask ?? runTask;
  return run(task, { credentials, report: () => undefined, signal: stopping });
}

async function backUp(what: BackupOf, runs: readonly string[]): Promise<ImageBackupResult> {
  const task = backupTask(what);
  return (await runDirectly(task, await backupRights(runs, task.session.sessionId))) as ImageBackupResult;
}

async function restoreTask(volume: TestVolume, point: string, snapshotId: string): Promise<Task> {
  const keys = lab.repository.domainKeys(domain);
  const sessions = await sessionsOfPoint(
    { store: lab.store, keys },
    { series: seriesOf(volume), sessionId: point },
    { signal },
  );
  const sessionKeys = Object.fromEntries(
    sessions.map(({ sessionId, epoch }) => [
      sessionId,
      base64(lab.repository.sessionDataKey(domain, sessionId, epoch)),
    ]),
  );
  const volumes = [{ volumeId: volume.volumeId, snapshotId }];
  return {
    verb: "image-restore",
    region,
    repository: access(),
    series: seriesOf(volume),
    point,
    sessionKeys,
    volumes,
  };
}

async function restore(volume: TestVolume, point: string): Promise<string> {
  const snapshotId = await startSnapshot(lab, volume.sizeBytes / 1024 ** 3);
  const task = await restoreTask(volume, point, snapshotId);
  const result = (await runDirectly(task, await restoreRights([snapshotId]))) as ImageRestoreResult;
  await completeSnapshot(lab, result.volumes[0]!);
  return snapshotId;
}

/** Every block of a completed snapshot that isn't zero, by index. */
async function readSnapshot(snapshotId: string): Promise<Map<number, string>> {
  const clients = lab.operator.production;
  const source = await openEbsSnapshotSource({ clients, ...base, snapshotId }, { signal });
  const blocks = new Map<number, string>();
  const zero = base64(new Uint8Array(32));
  const bytes = new Uint8Array(blockSizeBytes);
  for await (const reference of source.list({ signal })) {
    const { sha256 } = await source.read(reference, bytes, { signal });
    if (bytes.some((byte) => byte !== 0)) blocks.set(reference.index, base64(sha256 ?? new Uint8Array(32)));
  }
  expect([...blocks.values()]).not.toContain(zero);
  return blocks;
}

function someBlocks(count: number, step: number, name: string): Record<number, Uint8Array> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [n * step, blockOf(`${name} ${n}`)]));
}

describe("the tasks of a worker", () => {
  test("copy a snapshot into a restore point and back, block for block", async () => {
    const volume = await createVolume(lab, 1);
    await writeBlocks(volume, { ...someBlocks(40, 7, "first"), 2047: blockOf("the last one") });
    const snapshotId = await snapshotVolume(lab, volume, "run-a");
    const result = await backUp({ volume, snapshotId }, ["run-a"]);
    expect(result.volumes).toMatchObject([{ coverage: "full", blocksRead: 41, blocksStored: 41 }]);
    const restored = await restore(volume, result.point);
    const [before, after] = [await readSnapshot(snapshotId), await readSnapshot(restored)];
    expect(before.size).toBe(41);
    expect([...after]).toEqual([...before]);
  });

  test("read and store only what changed, and restore both points as they were", async () => {
    const volume = await createVolume(lab, 1);
    await writeBlocks(volume, someBlocks(30, 5, "base"));
    const first = await snapshotVolume(lab, volume, "run-b1");
    const firstResult = await backUp({ volume, snapshotId: first }, ["run-b1"]);
    await writeBlocks(volume, {
      5: blockOf("changed"),
      1000: blockOf("new"),
      10: new Uint8Array(blockBytes),
    });
    const second = await snapshotVolume(lab, volume, "run-b2");
    const what = { volume, snapshotId: second, baseSnapshotId: first, parent: firstResult.point };
    const secondResult = await backUp(what, ["run-b1", "run-b2"]);
    const [numbers] = secondResult.volumes;
    expect(numbers).toMatchObject({ coverage: "changes", blocksStored: 2 });
    expect(numbers?.blocksRead).toBeLessThanOrEqual(3);
    expect(numbers?.fallbackReason).toBeUndefined();
    expect([...(await readSnapshot(await restore(volume, secondResult.point)))]).toEqual([
      ...(await readSnapshot(second)),
    ]);
    expect([...(await readSnapshot(await restore(volume, firstResult.point)))]).toEqual([
      ...(await readSnapshot(first)),
    ]);
  });

  test("read everything, and say why, when the base is another volume's, gone, or not lent", async () => {
    const [volume, other] = [await createVolume(lab, 1), await createVolume(lab, 1)];
    await writeBlocks(volume, someBlocks(10, 3, "fallback"));
    const first = await snapshotVolume(lab, volume, "run-c1");
    const parent = (await backUp({ volume, snapshotId: first }, ["run-c1"])).point;
    const foreign = await snapshotVolume(lab, other, "run-c1");
    const next = await snapshotVolume(lab, volume, "run-c2");
    for (const baseSnapshotId of [foreign, "snap-00000000000000000", first]) {
      // Only the run of the new snapshot is lent, so `first` exists and is refused.
      const runs = baseSnapshotId === first ? ["run-c2"] : ["run-c1", "run-c2"];
      const [numbers] = (await backUp({ volume, snapshotId: next, baseSnapshotId, parent }, runs)).volumes;
      expect(numbers).toMatchObject({ coverage: "full", blocksRead: 10, blocksStored: 0 });
      expect(numbers?.fallbackReason).toContain(baseSnapshotId);
    }
  });

  test("go on where a lost worker was, without reading again what is sealed", async () => {
    const volume = await createVolume(lab, 1);
    await writeBlocks(volume, someBlocks(160, 1, "long"));
    const snapshotId = await snapshotVolume(lab, volume, "run-d");
    const task = backupTask({ volume, snapshotId });
    const rights = await backupRights(["run-d"], task.session.sessionId);
    const killing = new AbortController();
    const slowly = taskRunner({ ...base, blockPace: slowPace() });
    const lost = runDirectly(task, rights, { signal: killing.signal, runTask: slowly });
    lost.catch(() => undefined);
    const packs = `${domain}/pack/${task.session.sessionId}/`;
    for (let stored = 0; stored < 1;) {
      stored = 0;
      for await (const _ of lab.store.list(packs, { signal })) stored += 1;
      await systemClock.sleep(20, signal);
    }
    killing.abort(new GarrisonError("aborted", "the worker was lost"));
    await expect(lost).rejects.toThrow();
    const replacement = backupTask({ volume, snapshotId, sessionId: task.session.sessionId });
    const result = (await runDirectly(replacement, rights)) as ImageBackupResult;
    const [numbers] = result.volumes;
    expect(numbers!.blocksResumed).toBeGreaterThan(30);
    expect(numbers!.blocksRead + numbers!.blocksResumed).toBe(160);
    expect((await readSnapshot(await restore(volume, result.point))).size).toBe(160);
  });

  test("fail by name when a credential reaches neither snapshot nor repository", async () => {
    const volume = await createVolume(lab, 1);
    await writeBlocks(volume, someBlocks(2, 1, "denied"));
    const snapshotId = await snapshotVolume(lab, volume, "run-e");
    const task = backupTask({ volume, snapshotId });
    const { sessionId } = task.session;
    const unlent = await backupRights(["another-run"], sessionId);
    await expect(runDirectly(task, unlent)).rejects.toMatchObject({ code: "aws-access-denied" });
    const elsewhere = await backupRights(["run-e"], "00000000000000ff");
    await expect(runDirectly(task, elsewhere)).rejects.toMatchObject({ code: "store-access-denied" });
  });
});

describe("the queues of a worker", () => {
  let queues = 0;
  const openQueue = async () => {
    const QueueName = `garrison-contract-${queues++}`;
    const { QueueUrl } = await lab.operator.production
      .sqs()
      .send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: "1" } }));
    return openSqsTransport(lab.operator.production, QueueUrl!);
  };
  test.each(messageTransportContract)("SQS $name", async ({ run }) => {
    await run({ transport: await openQueue(), passVisibility: () => systemClock.sleep(1_200, signal) });
  });
});

interface Conversation {
  readonly appliance: Channel<ToAppliance, ToWorker>;
  readonly ended: Promise<WorkerEnd>;
}

/** A worker that runs in this process, found and talked to over the lab's SQS. */
async function openConversation(clients: AwsClients): Promise<Conversation> {
  const address = { installation: "0a1b2c3d", run: "run-talk", worker: "d4c3b2a1" };
  const names = channelQueueNames(address);
  for (const QueueName of [names.toWorker, names.toAppliance])
    await clients.sqs().send(new CreateQueueCommand({ QueueName }));
  const urls = await findQueues(clients, `${names.prefix}-`, { signal });
  const transport = (name: string) =>
    openSqsTransport(
      clients,
      urls.find((url) => url.endsWith(`/${name}`))!,
    );
  const [applianceStore, workerStore] = [memoryChannelStore(), memoryChannelStore()];
  const keysIn = async (store: typeof workerStore) =>
    publicKeysOf((await loadOrCreateChannel({ store, random: systemRandom }, { signal })).identity);
  const [applianceKeys, workerKeys] = [await keysIn(applianceStore), await keysIn(workerStore)];
  const appliance = await openChannel(
    {
      ...base,
      store: applianceStore,
      transportIn: transport(names.toAppliance),
      transportOut: transport(names.toWorker),
    },
    { address, side: applianceSide, peer: workerKeys },
    { signal },
  );
  const channel = await openChannel(
    {
      ...base,
      store: workerStore,
      transportIn: transport(names.toWorker),
      transportOut: transport(names.toAppliance),
    },
    { address, side: workerSide, peer: applianceKeys },
    { signal },
  );
  const limits = { deadlineMs: systemClock.now() + 600_000, silenceMs: 300_000 };
  const ended = runWorker({ ...base, channel, runTask }, { limits, capabilities: {} }, { signal });
  return { appliance, ended };
}

test("a backup and its restore are done over the channel, and the worker goes when told", async () => {
  const volume = await createVolume(lab, 1);
  await writeBlocks(volume, someBlocks(20, 11, "talk"));
  const snapshotId = await snapshotVolume(lab, volume, "run-talk");
  const task = backupTask({ volume, snapshotId });
  const clients = openAwsClients({
    region,
    credentials: staticCredentials(await lab.lend("production", sqsPolicy)),
  });
  const { appliance, ended } = await openConversation(clients);
  const target = await startSnapshot(lab, 1);
  const backupOrder = {
    taskId: "backup",
    task,
    credentials: await backupRights(["run-talk"], task.session.sessionId),
  };
  await appliance.send({ type: "task", ...backupOrder });
  for await (const { sequence, message } of appliance.messages()) {
    if (message.type === "failure") throw new Error(message.message);
    if (message.type !== "result") continue;
    if (message.result.verb === "image-restore") {
      await appliance.finish(sequence);
      await completeSnapshot(lab, message.result.volumes[0]!);
      await appliance.send({ type: "goodbye" });
      break;
    }
    if (message.result.verb !== "image-backup") throw new Error(`the worker did ${message.result.verb}`);
    const order = {
      task: await restoreTask(volume, message.result.point, target),
      credentials: await restoreRights([target]),
    };
    await appliance.send({ type: "task", taskId: "restore", ...order });
  }
  expect(await ended).toBe("goodbye");
  await appliance.close();
  clients.close();
  expect([...(await readSnapshot(target))]).toEqual([...(await readSnapshot(snapshotId))]);
});

const sqsPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["sqs:CreateQueue", "sqs:ListQueues", "sqs:*Message"], Resource: "*" },
  ],
};
