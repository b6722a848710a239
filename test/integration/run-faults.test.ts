import type { RunWithSteps } from "@garrison/api/schemas/runs";
import type { FaultRule } from "@garrison/lab/wire/faults";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  arnOf,
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
afterEach(() => lab.lab.lab.faults.clear());

type Fault = Omit<FaultRule, "id">;

/** One backup while the lab misbehaves by these rules. Answers how often each rule struck, too. */
async function backUpUnder(...rules: readonly Fault[]) {
  const { faults } = lab.lab.lab;
  await overwriteBlock(lab.instance.volumes[0]!.path, 1);
  for (const rule of rules) faults.add(rule);
  const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
  const hits = faults.list().map((rule) => rule.hits);
  faults.clear();
  return { run, hits };
}

async function expectWhole(run: RunWithSteps): Promise<void> {
  expect(run.status, tell(run)).toBe("succeeded");
  const { items } = await lab.api.call("listRepositories", { query: {} }, signal);
  const params = { repositoryId: items[0]!.id };
  const body = { accountId: productionAccount, level: "full" } as const;
  const { findings } = await lab.api.call("checkRepository", { params, body }, signal);
  expect(findings.filter(({ severity }) => severity === "damage")).toEqual([]);
  const { workers, queues, images } = await inventory(lab);
  expect({ workers, queues, images }).toEqual({ workers: [], queues: [], images: [] });
}

test("a backup succeeds while S3 and EBS slow clients down and fail now and then", async () => {
  const { run, hits } = await backUpUnder(
    { service: "ebs", fault: "throttle", count: 3 },
    { service: "ebs", fault: "error500", probability: 0.1, seed: "EBS" },
    { service: "s3", fault: "throttle", probability: 0.2, seed: "slow down" },
    { service: "s3", fault: "error500", probability: 0.1, seed: "internal" },
    { service: "s3", fault: "error503", probability: 0.1, seed: "unavailable" },
  );
  await expectWhole(run);
  expect([hits[0], ...hits.slice(2)].every((count) => count! > 0)).toBe(true);
});

test("a backup succeeds while every service throttles and connections break", async () => {
  const { run, hits } = await backUpUnder(
    { fault: "throttle", probability: 0.1, seed: "all throttle" },
    { fault: "drop", probability: 0.05, seed: "drop" },
  );
  await expectWhole(run);
  expect(hits.every((count) => count > 0)).toBe(true);
});

test("a restore succeeds while S3 and EBS throttle, fail and break connections", async () => {
  const { run } = await backUpUnder();
  expect(run.status, tell(run)).toBe("succeeded");
  for (const service of ["s3", "ebs"]) {
    for (const fault of ["throttle", "error500", "drop"] as const) {
      lab.lab.lab.faults.add({ service, fault, probability: 0.1, seed: `${service} ${fault}` });
    }
  }
  const restore = await completeRun(lab, { kind: "instance-restore", point: run.point! });
  expect(restore.status, tell(restore)).toBe("succeeded");
});

test("a backup whose EBS credentials are found expired goes on when they are good again", async () => {
  const expired = { service: "ebs", operation: "GetSnapshotBlock", fault: "expired", count: 2 } as const;
  const { run, hits } = await backUpUnder(expired);
  expect(hits).toEqual([2]);
  await expectWhole(run);
});

test("a backup whose S3 credentials are found expired gets a worker with others, and succeeds", async () => {
  const expired = { service: "s3", operation: "PutObject", fault: "expired", count: 1 } as const;
  const { run, hits } = await backUpUnder(expired);
  expect(hits).toEqual([1]);
  await expectWhole(run);
  expect(run.steps.filter(({ name }) => name === "copy blocks")).toHaveLength(2);
});

test("a backup whose credentials stay expired fails by name and leaves nothing", async () => {
  const { run } = await backUpUnder({ service: "s3", operation: "PutObject", fault: "expired" });
  expect(run.status, tell(run)).toBe("failed");
  expect(run.failure).toMatchObject({ code: "store-credentials-expired" });
  const { workers, queues, images } = await inventory(lab);
  expect({ workers, queues, images }).toEqual({ workers: [], queues: [], images: [] });
});
