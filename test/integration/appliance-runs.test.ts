import { open } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readInstanceState } from "@garrison/aws/ec2/instance-state";
import type { RunWithSteps } from "@garrison/api/schemas/runs";
import {
  arnOf,
  blockBytes,
  completeRun,
  inventory,
  openApplianceLab,
  overwriteBlock,
  productionAccount,
  signal,
  tell,
  type ApplianceLab,
} from "./appliance-lab.ts";

let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab();
}, 600_000);
afterAll(() => lab?.stop());

const pointOf = (run: RunWithSteps) => lab.api.call("readPoint", { params: { pointId: run.point! } }, signal);

describe("an instance of a production account", () => {
  let first: RunWithSteps;
  let second: RunWithSteps;

  test("is backed up by a worker in its account", async () => {
    first = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    expect(first.status, tell(first)).toBe("succeeded");
    const point = await pointOf(first);
    expect(point.volumes.map(({ coverage, blocksRead }) => ({ coverage, blocksRead }))).toEqual([
      { coverage: "full", blocksRead: 5 },
      { coverage: "full", blocksRead: 5 },
    ]);
    expect(point.description).toMatchObject({ kind: "ec2-instance", recipe: { instanceType: "t3.small" } });
  });

  test("is backed up again by reading only what changed", async () => {
    await overwriteBlock(lab.instance.volumes[0]!.path, 700);
    second = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    expect(second.status, tell(second)).toBe("succeeded");
    const point = await pointOf(second);
    expect(point.parent).toBe(first.point);
    expect(point.volumes.map(({ coverage, blocksRead }) => ({ coverage, blocksRead }))).toEqual([
      { coverage: "changes", blocksRead: 1 },
      { coverage: "changes", blocksRead: 0 },
    ]);
  });

  test("leaves only the newest snapshots behind: the base of the next backup", async () => {
    const { snapshots, workers, queues } = await inventory(lab);
    const { volumes } = await pointOf(second);
    expect(snapshots).toEqual(volumes.map(({ snapshotId }) => snapshotId).sort());
    expect({ workers, queues }).toEqual({ workers: [], queues: [] });
  });

  test("is restored to a new instance with the same bytes, and what the restore needed is removed", async () => {
    const restore = await completeRun(lab, {
      kind: "instance-restore",
      point: second.point!,
      name: "web-1-restored",
    });
    expect(restore.status, tell(restore)).toBe("succeeded");
    const volumes = restore.result!["volumes"] as { deviceName: string; volumeId: string }[];
    for (const original of lab.instance.volumes) {
      const restored = volumes.find(({ deviceName }) => deviceName === original.deviceName)!;
      const path = lab.lab.lab.ec2.disks.volumes.path(restored.volumeId);
      expect(await firstDifference(path, original.path)).toBeUndefined();
    }
    const state = await readInstanceState(lab.operator.production, String(restore.result!["instanceId"]), {
      signal,
    });
    expect(state).toMatchObject({ state: "running", tags: { Name: "web-1-restored" } });
    expect(Object.keys(state.tags).filter((key) => key.startsWith("garrison:"))).toEqual([]);
    const { snapshots, workers, queues, images } = await inventory(lab);
    expect(snapshots).toHaveLength(2);
    expect({ workers, queues, images }).toEqual({ workers: [], queues: [], images: [] });
  });

  test("is backed up and restored by workers in the backup account too", async () => {
    const backup = await completeRun(lab, {
      kind: "backup",
      resource: arnOf(lab.instance),
      placement: "backup",
    });
    expect(backup.status, tell(backup)).toBe("succeeded");
    const restore = await completeRun(lab, {
      kind: "instance-restore",
      point: backup.point!,
      placement: "backup",
    });
    expect(restore.status, tell(restore)).toBe("succeeded");
    const workers = await lab.api.call("listWorkers", { query: {} }, signal);
    expect(workers.items.slice(0, 2).map(({ accountId }) => accountId)).not.toContain(productionAccount);
  });

  test("has a repository without damage afterwards", async () => {
    const { items } = await lab.api.call("listRepositories", { query: {} }, signal);
    const params = { repositoryId: items[0]!.id };
    const body = { accountId: productionAccount, level: "full" } as const;
    const check = await lab.api.call("checkRepository", { params, body }, signal);
    expect(check.findings.filter(({ severity }) => severity === "damage")).toEqual([]);
  });
});

/** The first block that differs, or undefined. */
async function firstDifference(left: string, right: string): Promise<number | undefined> {
  const files = [await open(left), await open(right)] as const;
  const pieceBytes = 16 * blockBytes;
  const pieces = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)] as const;
  const { size } = await files[0].stat();
  let different: number | undefined;
  for (let at = 0; at < size && different === undefined; at += pieceBytes) {
    for (const side of [0, 1] as const) await files[side].read(pieces[side], 0, pieceBytes, at);
    if (!pieces[0].equals(pieces[1])) different = at / blockBytes;
  }
  for (const file of files) await file.close();
  return different;
}
