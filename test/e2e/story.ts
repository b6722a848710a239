import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { hasEnded } from "@garrison/api/schemas/runs";
import type { CliContext } from "../../packages/cli/src/cli-context.ts";
import { demoNames } from "../../packages/cli/src/demo/demo-names.ts";
import { DemoTimer } from "../../packages/cli/src/demo/demo-timer.ts";
import type { DemoLab } from "../../packages/cli/src/demo/demo-lab.ts";
import { setUpDemo, type DemoOptions, type RunningDemo } from "../../packages/cli/src/demo/set-up-demo.ts";
import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";

/** What all stories of a test file start from. */
const partsDir = mkdtempSync(join(tmpdir(), "garrison-story-parts-"));
process.once("exit", () => rmSync(partsDir, { recursive: true, force: true }));

/** A folder of its own for one story, removed afterwards. */
export class StoryFolder implements AsyncDisposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async open(): Promise<StoryFolder> {
    return new StoryFolder(await mkdtemp(join(tmpdir(), "garrison-story-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export function storyOptions(dataDir: string, change: Partial<DemoOptions> = {}): DemoOptions {
  return {
    dataDir,
    partsDir,
    labPort: 0,
    appliancePort: 0,
    rootFilesMiB: 64,
    dataFilesMiB: 32,
    placement: "production",
    ...change,
  };
}

export function storyContext(signal: AbortSignal): CliContext {
  return {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    signal,
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    setExitCode: () => undefined,
  };
}

/** Lab and appliance as processes, web-1 in the production account, roles made and checked. */
export function setUpStory(options: DemoOptions, signal: AbortSignal): Promise<RunningDemo> {
  const context = storyContext(signal);
  return setUpDemo(options, context, new DemoTimer(systemClock, () => undefined));
}

export async function webInstanceArn(running: RunningDemo, signal: AbortSignal): Promise<string> {
  const { items } = await running.api.call("listResources", { query: {} }, signal);
  const found = items.find(({ name }) => name === demoNames.instance);
  if (found === undefined) throw new Error("web-1 is not in the inventory");
  return found.arn;
}

export async function startBackup(running: RunningDemo, signal: AbortSignal): Promise<string> {
  const resource = await webInstanceArn(running, signal);
  const { id } = await running.api.call("createRun", { body: { kind: "backup", resource } }, signal);
  return id;
}

/** Waits until the worker has stored that much and is not yet done. */
export async function waitUntilStored(
  running: RunningDemo,
  wanted: { readonly runId: string; readonly bytes: number },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const run = await running.api.call("readRun", { params: { runId: wanted.runId } }, signal);
    const stored = (run.progress?.volumes ?? []).reduce((sum, { bytesStored }) => sum + bytesStored, 0);
    if (stored >= wanted.bytes) return;
    if (hasEnded(run)) {
      throw new Error(
        `the run ended (${run.status}) before it could be disturbed: ${JSON.stringify(run.failure)}`,
      );
    }
    await systemClock.sleep(50, signal);
  }
}

export async function waitUntilEnded(running: RunningDemo, runId: string, signal: AbortSignal) {
  for (;;) {
    const run = await running.api.call("readRun", { params: { runId } }, signal);
    if (hasEnded(run)) return run;
    await systemClock.sleep(200, signal);
  }
}

export interface Leftovers {
  readonly workers: readonly string[];
  readonly queues: readonly string[];
  readonly snapshots: readonly string[];
}

/** What Garrison made in an account and has not removed, by its own tags and names. */
export async function findLeftovers(lab: DemoLab, accountId: string): Promise<Leftovers> {
  const clients = lab.operatorClients(accountId);
  try {
    const tagged = [{ Name: "tag-key", Values: ["garrison:worker"] }];
    const instances = await clients.ec2().send(new DescribeInstancesCommand({ Filters: tagged }));
    const snapshots = await clients.ec2().send(
      new DescribeSnapshotsCommand({
        OwnerIds: ["self"],
        Filters: [{ Name: "tag-key", Values: ["garrison:run"] }],
      }),
    );
    const queues = await clients.sqs().send(new ListQueuesCommand({ QueueNamePrefix: "garrison-" }));
    return {
      workers: (instances.Reservations ?? [])
        .flatMap((reservation) => reservation.Instances ?? [])
        .filter(({ State: state }) => state?.Name !== "terminated")
        .map(({ InstanceId: id }) => id ?? ""),
      queues: queues.QueueUrls ?? [],
      snapshots: (snapshots.Snapshots ?? []).map(({ SnapshotId: id }) => id ?? ""),
    };
  } finally {
    clients.close();
  }
}

/** Ends the worker as AWS would end a Spot instance that did not listen: at once. */
export async function terminateWorkers(lab: DemoLab, accountId: string): Promise<readonly string[]> {
  const { workers } = await findLeftovers(lab, accountId);
  const clients = lab.operatorClients(accountId);
  try {
    if (workers.length > 0)
      await clients.ec2().send(new TerminateInstancesCommand({ InstanceIds: [...workers] }));
    return workers;
  } finally {
    clients.close();
  }
}

/** Every block takes its time from now on: so there is a middle of the copy to break something in. */
export async function slowBlocks(lab: DemoLab): Promise<void> {
  const rule = { service: "ebs", operation: "GetSnapshotBlock", fault: "latency", latencyMs: 150 };
  await fetch(`${lab.endpoint}/_lab/faults`, {
    method: "POST",
    body: JSON.stringify(rule),
    headers: { "content-type": "application/json" },
  });
}

export async function clearFaults(lab: DemoLab): Promise<void> {
  await fetch(`${lab.endpoint}/_lab/faults`, { method: "DELETE" });
}
