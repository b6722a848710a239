import type { NewRunRequest, RunWithSteps } from "@garrison/api/schemas/runs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  arnOf,
  inventory,
  openApplianceLab,
  signal,
  tell,
  waitForRun,
  type ApplianceLab,
} from "./appliance-lab.ts";

let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab({ asProgram: true });
}, 600_000);
afterAll(() => lab?.stop());

/** Kills the appliance as soon as the run has begun a step that it had not begun before, until it has ended. */
async function killAsItGoes(
  body: NewRunRequest,
): Promise<{ readonly run: RunWithSteps; readonly kills: number }> {
  const { id } = await lab.api.call("createRun", { body }, signal);
  let begun = 0;
  for (let kills = 0; ; kills++) {
    for await (const run of lab.api.watchRun(id, signal)) {
      if (run.endedAt !== undefined) return { run, kills };
      if (run.steps.length > begun) {
        begun = run.steps.length;
        break;
      }
    }
    await lab.restart();
  }
}

describe("an appliance that is killed again and again", () => {
  let backup: RunWithSteps;

  test("completes a backup, with one worker, and leaves the base only", async () => {
    const killed = await killAsItGoes({ kind: "backup", resource: arnOf(lab.instance) });
    backup = killed.run;
    expect(backup.status, tell(backup)).toBe("succeeded");
    expect(killed.kills).toBeGreaterThanOrEqual(3);
    expect(backup.steps.filter(({ name }) => name === "launch the worker")).toHaveLength(1);
    const left = await inventory(lab);
    expect(left.snapshots).toHaveLength(2);
    expect({ workers: left.workers, queues: left.queues }).toEqual({ workers: [], queues: [] });
  });

  test("completes a restore, with one instance, and leaves nothing else", async () => {
    const { run, kills } = await killAsItGoes({ kind: "instance-restore", point: backup.point! });
    expect(run.status, tell(run)).toBe("succeeded");
    expect(kills).toBeGreaterThanOrEqual(3);
    const instances = await lab.api.call("rescanResources", { body: {} }, signal);
    expect(instances.scanned).toEqual([{ accountId: "222222222222", instances: 2 }]);
    const left = await inventory(lab);
    expect(left).toMatchObject({ workers: [], queues: [], images: [] });
    expect(left.snapshots).toHaveLength(2);
  });

  test("undoes a run that was stopped while it was dead", async () => {
    const body = { kind: "backup" as const, resource: arnOf(lab.instance) };
    const { id } = await lab.api.call("createRun", { body }, signal);
    for await (const run of lab.api.watchRun(id, signal)) if (run.steps.length >= 5) break;
    await lab.api.call("cancelRun", { params: { runId: id } }, signal);
    await lab.restart();
    const run = await waitForRun(lab, id);
    expect(run.status, tell(run)).toBe("cancelled");
    const left = await inventory(lab);
    expect(left).toMatchObject({ workers: [], queues: [], images: [] });
    expect(left.snapshots).toHaveLength(2);
  });
});
