import { applianceSide, workerSide, type Channel } from "@garrison/channel/channel-options";
import { loadOrCreateChannel } from "@garrison/channel/channel-store";
import { memoryChannelStore } from "@garrison/channel/memory-channel-store";
import { memoryMessageTransport } from "@garrison/channel/memory-message-transport";
import type { TaskCredentials, TaskResult, ToAppliance, ToWorker } from "@garrison/channel/messages";
import { openChannel } from "@garrison/channel/open-channel";
import { publicKeysOf } from "@garrison/channel/peer-identity";
import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { describe, expect, test } from "vitest";
import { runWorker, type WorkerEnd } from "./run-worker.ts";
import type { RunTask, TaskContext } from "./task-context.ts";

const address = { installation: "0a1b2c3d", run: "run-1", worker: "d4c3b2a1" };
const { signal } = new AbortController();
const minute = 60_000;

interface Scene {
  readonly clock: VirtualClock;
  readonly appliance: Channel<ToAppliance, ToWorker>;
  readonly heard: ToAppliance[];
  readonly ended: Promise<WorkerEnd>;
  readonly credentials: (name: string, livesMs?: number) => TaskCredentials;
}

/** A worker with `runTask`, and the appliance's end of its channel. */
async function openScene(runTask: RunTask, deadlineInMs = 60 * minute): Promise<Scene> {
  const clock = new VirtualClock();
  const random = seededRandom("worker");
  const [applianceStore, workerStore] = [memoryChannelStore(), memoryChannelStore()];
  const keysIn = async (store: typeof workerStore) =>
    publicKeysOf((await loadOrCreateChannel({ store, random }, { signal })).identity);
  const [applianceKeys, workerKeys] = [await keysIn(applianceStore), await keysIn(workerStore)];
  const [down, up] = [memoryMessageTransport(clock), memoryMessageTransport(clock)];
  const base = { clock, random, logger: silentLogger };
  const appliance = await openChannel(
    { ...base, store: applianceStore, transportIn: up, transportOut: down },
    { address, side: applianceSide, peer: workerKeys },
    { signal },
  );
  const channel = await openChannel(
    { ...base, store: workerStore, transportIn: down, transportOut: up },
    { address, side: workerSide, peer: applianceKeys },
    { signal },
  );
  const limits = { deadlineMs: clock.now() + deadlineInMs, silenceMs: 5 * minute };
  const ended = runWorker(
    { ...base, channel, runTask },
    { limits, capabilities: { processors: 2 } },
    { signal },
  );
  const heard: ToAppliance[] = [];
  void (async () => {
    for await (const { message } of appliance.messages()) heard.push(message);
  })();
  const credentials = (name: string, livesMs = 60 * minute): TaskCredentials => {
    const one = {
      accessKeyId: name,
      secretAccessKey: "s",
      sessionToken: "t",
      expiresAtMs: clock.now() + livesMs,
    };
    return { repository: one, data: one };
  };
  return { clock, appliance, heard, ended, credentials };
}

const restoreTask = {
  verb: "image-restore",
  region: "eu-central-1",
  repository: {
    url: "s3://bucket/prefix",
    repositoryId: "r",
    domain: "d",
    idKey: "",
    epochs: [{ epoch: 1, mapKey: "", pointKey: "", controlPublicKey: "" }],
  },
  series: "arn:aws:ec2:eu-central-1:222222222222:instance/i-1",
  point: "0000000000000001",
  sessionKeys: {},
  volumes: [{ volumeId: "vol-1", snapshotId: "snap-1" }],
} as const;
const order = (taskId: string, credentials: TaskCredentials, snapshotId = "snap-1"): ToWorker => ({
  type: "task",
  taskId,
  task: { ...restoreTask, volumes: [{ volumeId: "vol-1", snapshotId }] },
  credentials,
});
const result: TaskResult = { verb: "image-restore", volumes: [], durationMs: 1 };
const done: RunTask = async () => result;
const untilStopped: RunTask = (_, { signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("let go"))));
const types = (heard: readonly ToAppliance[]) => heard.map((message) => message.type);

describe("a worker", () => {
  test("says hello with what it can do, does its task, and ends when told goodbye", async () => {
    const { clock, appliance, heard, ended, credentials } = await openScene(done);
    await appliance.send(order("t1", credentials("k")));
    await clock.advance(5_000);
    await appliance.send({ type: "goodbye" });
    await clock.advance(10_000);
    expect(await ended).toBe("goodbye");
    expect(heard).toEqual([
      { type: "hello", version: "0.1.0", capabilities: { processors: 2 } },
      { type: "result", taskId: "t1", result },
    ]);
    expect(appliance.counters().unacknowledged).toBe(0);
    await appliance.close();
  });

  test("does a task that is ordered twice once, and answers both times", async () => {
    let runs = 0;
    const { clock, appliance, heard, credentials } = await openScene(async () => {
      runs += 1;
      return result;
    });
    await appliance.send(order("t1", credentials("k")));
    await clock.advance(5_000);
    await appliance.send(order("t1", credentials("k")));
    await clock.advance(5_000);
    expect(runs).toBe(1);
    expect(types(heard)).toEqual(["hello", "result", "result"]);
    await appliance.close();
  });

  test("reports a failure with its code, whether it may be tried again, and the causes", async () => {
    const { clock, appliance, heard, credentials } = await openScene(async () => {
      throw new GarrisonError("deadline-exceeded", "reading vol-1", { cause: new Error("socket") });
    });
    await appliance.send(order("t1", credentials("k")));
    await clock.advance(5_000);
    const message = "deadline-exceeded: reading vol-1 <- Error: socket";
    expect(heard[1]).toEqual({
      type: "failure",
      taskId: "t1",
      code: "deadline-exceeded",
      message,
      retryable: true,
    });
    await appliance.close();
  });

  test("tells a failure again for the same order, and tries again for another under the same id", async () => {
    let runs = 0;
    const { clock, appliance, heard, credentials } = await openScene(async () => {
      runs += 1;
      if (runs === 1) throw new GarrisonError("deadline-exceeded", "reading vol-1");
      return result;
    });
    for (const snapshotId of ["snap-1", "snap-1", "snap-2"]) {
      await appliance.send(order("t1", credentials("k"), snapshotId));
      await clock.advance(5_000);
    }
    expect(runs).toBe(2);
    expect(types(heard)).toEqual(["hello", "failure", "failure", "result"]);
    await appliance.close();
  });

  test("stops a task that is cancelled, and only that", async () => {
    const { clock, appliance, heard, credentials } = await openScene(untilStopped);
    await appliance.send(order("t1", credentials("k")));
    await appliance.send(order("t2", credentials("k")));
    await clock.advance(5_000);
    await appliance.send({ type: "cancel", taskId: "t1" });
    await clock.advance(5_000);
    expect(heard.slice(1)).toMatchObject([
      { type: "failure", taskId: "t1", code: "aborted", retryable: false },
    ]);
    await appliance.close();
  });

  test("tells progress every few seconds, the newest numbers only, and none that is old", async () => {
    let context: TaskContext | undefined;
    const { clock, appliance, heard, credentials } = await openScene((task, given) => {
      context = given;
      return untilStopped(task, given);
    });
    await appliance.send(order("t1", credentials("k")));
    await clock.advance(5_000);
    for (let blocksDone = 1; blocksDone <= 10; blocksDone++) {
      context?.report({ volumeId: "vol-1", blocksDone, blocksTotal: 10, bytesRead: 0, bytesStored: 0 });
    }
    await clock.advance(60_000);
    const told = heard.flatMap((message) => (message.type === "progress" ? message.volumes : []));
    expect(told).toMatchObject([{ volumeId: "vol-1", blocksDone: 10 }]);
    await appliance.close();
  });

  test("asks for credentials before they end, and goes on with the new ones", async () => {
    const used: string[] = [];
    const { clock, appliance, heard, credentials } = await openScene(async (_, context) => {
      for (let n = 0; n < 40; n++) {
        used.push((await context.credentials.source("data")()).accessKeyId);
        await clock.sleep(minute, context.signal);
      }
      return result;
    });
    await appliance.send(order("t1", credentials("old", 20 * minute)));
    await clock.advance(10 * minute);
    const asked = heard.filter((message) => message.type === "credentials-needed");
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(asked.length).toBeLessThan(8);
    await appliance.send({ type: "credentials", taskId: "t1", credentials: credentials("new") });
    await clock.advance(35 * minute);
    expect(new Set(used)).toEqual(new Set(["old", "new"]));
    expect(types(heard).at(-1)).toBe("result");
    await appliance.close();
  });

  test("waits with expired credentials, then fails the task by name", async () => {
    const { clock, appliance, heard, credentials } = await openScene(async (_, context) => {
      await context.credentials.source("repository")();
      return result;
    });
    await appliance.send(order("t1", credentials("spent", 10_000)));
    await clock.advance(9 * minute);
    expect(types(heard)).not.toContain("failure");
    await clock.advance(3 * minute);
    expect(heard.at(-1)).toMatchObject({ type: "failure", code: "task-credentials-late", retryable: true });
    await appliance.close();
  });

  test("refuses more tasks than it can keep waiting", async () => {
    const { clock, appliance, heard, credentials } = await openScene(untilStopped);
    for (let n = 0; n < 17; n++) await appliance.send(order(`t${n}`, credentials("k")));
    await clock.advance(5_000);
    expect(heard.slice(1)).toMatchObject([
      { type: "failure", taskId: "t16", code: "task-busy", retryable: true },
    ]);
    await appliance.close();
  });

  test("ends when it hears nothing from the appliance, and stops what it was doing", async () => {
    let isStopped = false;
    const scene = await openScene((task, context) => {
      context.signal.addEventListener("abort", () => {
        isStopped = true;
      });
      return untilStopped(task, context);
    });
    await scene.appliance.send(order("t1", scene.credentials("k")));
    await scene.clock.advance(10 * minute);
    expect(isStopped).toBe(false);
    await scene.appliance.close();
    await scene.clock.advance(6 * minute);
    expect(isStopped).toBe(true);
  });

  test("ends at its deadline, however much it is talked to", async () => {
    const { clock, appliance, ended } = await openScene(untilStopped, 20 * minute);
    await clock.advance(19 * minute);
    expect(await Promise.race([ended, Promise.resolve("running")])).toBe("running");
    await clock.advance(2 * minute);
    expect(await ended).toBe("deadline");
    await appliance.close();
  });
});
