import {
  CreateSnapshotCommand,
  DescribeSnapshotsCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { RemoveRoleFromInstanceProfileCommand, AddRoleToInstanceProfileCommand } from "@aws-sdk/client-iam";
import type { RunWithSteps } from "@garrison/api/schemas/runs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  arnOf,
  completeRun,
  deleteMaps,
  inventory,
  openApplianceLab,
  overwriteBlock,
  signal,
  tell,
  waitForRun,
  type ApplianceLab,
} from "./appliance-lab.ts";

let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab();
}, 600_000);
afterAll(() => lab?.stop());
afterEach(() => lab.lab.lab.faults.clear());

const startBackup = async () => {
  const body = { kind: "backup" as const, resource: arnOf(lab.instance) };
  return (await lab.api.call("createRun", { body }, signal)).id;
};

/** Something has changed, and every block takes its time: so there is a middle of the copy to break something in. */
async function slowBlocks(): Promise<void> {
  await overwriteBlock(lab.instance.volumes[0]!.path, 1);
  lab.lab.lab.faults.add({
    service: "ebs",
    operation: "GetSnapshotBlock",
    fault: "latency",
    latencyMs: 3_000,
  });
}

async function untilCopying(runId: string): Promise<void> {
  for await (const run of lab.api.watchRun(runId, signal)) {
    const copying = run.steps.find(({ name }) => name === "copy blocks");
    if (copying !== undefined && copying.log.length > 1) return;
    if (run.endedAt !== undefined) throw new Error(tell(run));
  }
}

const stepNames = (run: RunWithSteps) => run.steps.map(({ name }) => name);

describe("a run on a broken role chain", () => {
  const profile = { InstanceProfileName: "garrison-worker", RoleName: "garrison-worker" };

  test("fails with the sentence that names the link, before anything is made", async () => {
    await lab.operator.production.iam().send(new RemoveRoleFromInstanceProfileCommand(profile));
    const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    await lab.operator.production.iam().send(new AddRoleToInstanceProfileCommand(profile));
    expect(run.status).toBe("failed");
    expect(run.failure).toMatchObject({ code: "role-chain-broken" });
    expect(run.failure?.message).toContain("instance profile");
    expect(stepNames(run)).toEqual(["check the role chain"]);
    expect(await inventory(lab)).toEqual({ snapshots: [], workers: [], queues: [], images: [] });
  });
});

describe("a run that is stopped", () => {
  test("undoes what it made", async () => {
    await slowBlocks();
    const runId = await startBackup();
    await untilCopying(runId);
    await lab.api.call("cancelRun", { params: { runId } }, signal);
    lab.lab.lab.faults.clear();
    const run = await waitForRun(lab, runId);
    expect(run.status, tell(run)).toBe("cancelled");
    expect(await inventory(lab)).toEqual({ snapshots: [], workers: [], queues: [], images: [] });
  });

  test("can't be stopped again", async () => {
    const { items } = await lab.api.call("listRuns", { query: { status: "cancelled" } }, signal);
    const params = { runId: items[0]!.id };
    await expect(lab.api.call("cancelRun", { params }, signal)).rejects.toMatchObject({ code: "run-ended" });
  });
});

describe("a run that loses", () => {
  test("its worker gets another one and succeeds", async () => {
    await slowBlocks();
    const runId = await startBackup();
    await untilCopying(runId);
    const { items } = await lab.api.call("listWorkers", { query: { limit: 1 } }, signal);
    const lost = items[0]!.instanceId!;
    await lab.operator.production.ec2().send(new TerminateInstancesCommand({ InstanceIds: [lost] }));
    lab.lab.lab.faults.clear();
    const run = await waitForRun(lab, runId);
    expect(run.status, tell(run)).toBe("succeeded");
    expect(stepNames(run).filter((name) => name === "copy blocks")).toHaveLength(2);
    expect(await inventory(lab)).toMatchObject({ workers: [], queues: [] });
  });

  test("its appliance goes on when that is started again", async () => {
    await slowBlocks();
    const runId = await startBackup();
    await untilCopying(runId);
    lab.lab.lab.faults.clear();
    await lab.restart();
    const run = await waitForRun(lab, runId);
    expect(run.status, tell(run)).toBe("succeeded");
    expect(stepNames(run).filter((name) => name === "launch the worker")).toHaveLength(1);
    expect(run.steps.find(({ name }) => name === "copy blocks")?.attempts).toBe(2);
  });
});

describe("a backup whose base the repository has lost", () => {
  test("reads everything again, says so, and succeeds", async () => {
    const first = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    expect(first.status, tell(first)).toBe("succeeded");
    await deleteMaps(lab, first.point ?? "");
    await overwriteBlock(lab.instance.volumes[0]!.path, 2);
    const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    expect(run.status, tell(run)).toBe("succeeded");
    expect(stepNames(run)).toContain("go on without the base");
    const point = await lab.api.call("readPoint", { params: { pointId: run.point ?? "" } }, signal);
    expect(point.parent).toBeUndefined();
    expect(point.volumes.map(({ coverage }) => coverage)).toEqual(["full", "full"]);
  });
});

describe("a second backup of the same instance", () => {
  test("is refused while one is under way", async () => {
    await slowBlocks();
    const runId = await startBackup();
    await expect(startBackup()).rejects.toMatchObject({ code: "run-conflict" });
    lab.lab.lab.faults.clear();
    await waitForRun(lab, runId);
  });
});

describe("the sweeper", () => {
  test("names what merely carries our tags, and leaves it alone", async () => {
    const { installation } = lab.appliance;
    const { SnapshotId } = await lab.operator.production.ec2().send(
      new CreateSnapshotCommand({
        VolumeId: lab.instance.volumes[0]!.volumeId,
        TagSpecifications: [
          { ResourceType: "snapshot", Tags: [{ Key: "garrison:installation", Value: installation }] },
        ],
      }),
    );
    const swept = await lab.api.call("executeSweep", {}, signal);
    expect(swept.foreign.map(({ resourceId }) => resourceId)).toEqual([SnapshotId]);
    expect(swept.removed).toEqual([]);
    const found = await lab.operator.production
      .ec2()
      .send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }));
    expect(found.Snapshots).toHaveLength(1);
  });

  test("removes what an undo could not", async () => {
    await slowBlocks();
    const runId = await startBackup();
    await untilCopying(runId);
    lab.lab.lab.faults.add({ service: "ec2", operation: "DeleteSnapshot", fault: "expired" });
    await lab.api.call("cancelRun", { params: { runId } }, signal);
    const run = await waitForRun(lab, runId);
    expect(run.status, tell(run)).toBe("cancelled");
    const plan = await lab.api.call("planSweep", {}, signal);
    expect(plan.remove.map(({ kind }) => kind)).toEqual(["snapshot", "snapshot"]);
    lab.lab.lab.faults.clear();
    const swept = await lab.api.call("executeSweep", {}, signal);
    expect(swept.removed.map(({ resourceId }) => resourceId)).toEqual(
      plan.remove.map(({ resourceId }) => resourceId),
    );
    expect((await lab.api.call("planSweep", {}, signal)).remove).toEqual([]);
  });
});
