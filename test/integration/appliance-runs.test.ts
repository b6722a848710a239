import { afterAll, beforeAll, expect, test } from "vitest";
import { arnOf, completeRun, openApplianceLab, tell, type ApplianceLab } from "./appliance-lab.ts";

let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab();
}, 120_000);
afterAll(() => lab?.stop());

test("backs up an instance by a worker in the production account", async () => {
  const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
  expect(run.status, tell(run)).toBe("succeeded");
});
