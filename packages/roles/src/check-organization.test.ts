import { VirtualClock } from "@garrison/core/virtual-clock";
import { expect, it } from "vitest";
import { checkOrganization, type OrganizationRequest } from "./check-organization.ts";
import { exportRole } from "./export-role.ts";
import { formatJunit } from "./format-junit.ts";
import { formatOrganizationReport } from "./format-organization-report.ts";
import { withoutAction } from "./testing/breakages/breakage.ts";
import { backup, production, workingStage } from "./testing/breakages/working-stage.ts";
import { addRole, memoryProber, type MemoryWorld } from "./testing/memory-world.ts";

const second = "333333333333";
const call = { signal: new AbortController().signal };
const request: OrganizationRequest = {
  accounts: [{ accountId: production, name: "shop" }, { accountId: second }],
  roleIds: ["backup-ec2", "worker"],
  placement: "production",
  region: "eu-central-1",
  installation: "7f3a09c1",
  externalId: "garrison-7f3a",
};

/** Two production accounts whose roles are as documented. */
function twoAccounts() {
  const stage = workingStage();
  for (const id of ["backup-ec2", "worker"] as const) {
    const accounts = { backup, production: second };
    addRole(stage.world, second, exportRole(id, { ...stage.options, accounts }));
  }
  return stage;
}

function check(world: MemoryWorld, asked: Partial<OrganizationRequest> = {}) {
  const steps: string[] = [];
  const onProgress = ({ checked, total }: { readonly checked: number; readonly total: number }): void =>
    void steps.push(`${checked}/${total}`);
  const dependencies = { clock: new VirtualClock(), prober: memoryProber(world), onProgress };
  return checkOrganization(dependencies, { ...request, ...asked }, call).then((report) => ({
    report,
    steps,
  }));
}

it("every role of every account is checked by itself, and told as it goes", async () => {
  const { report, steps } = await check(twoAccounts().world);
  expect(report.verdict).toBe("passed");
  expect(
    report.accounts.map(({ accountId, roles }) => [accountId, roles.map(({ roleId }) => roleId)]),
  ).toEqual([
    [production, ["backup-ec2", "worker"]],
    [second, ["backup-ec2", "worker"]],
  ]);
  expect(steps).toEqual(["1/4", "2/4", "3/4", "4/4"]);
});

it("what is broken in one account is told there and spoils no other", async () => {
  const { role, world } = twoAccounts();
  withoutAction(role("worker"), "sqs:SendMessage");
  const { report } = await check(world);
  expect(report.accounts.map(({ verdict }) => verdict)).toEqual(["failed", "passed"]);
  const text = formatOrganizationReport(report);
  expect(text.split("\n").slice(0, 3)).toEqual([
    "account       name  backup-ec2  worker",
    "222222222222  shop  ok          FAILED",
    "333333333333        ok          ok",
  ]);
  expect(text).toContain(
    "No IAM policy of arn:aws:iam::222222222222:role/garrison-worker allows sqs:SendMessage",
  );
  expect(text).toContain("4 roles in 2 accounts: 1 failed, 0 unknown, 3 passed");
});

it("an account's own ARNs, external ID and names are asked for, and no role that it has not", async () => {
  const { world } = twoAccounts();
  const roles = { "backup-ec2": `arn:aws:iam::${second}:role/garrison-backup-ec2` };
  const { report } = await check(world, {
    accounts: [{ accountId: second, roles, externalId: "wrong" }],
  });
  expect(report.accounts[0]?.roles.map(({ roleId, verdict }) => [roleId, verdict])).toEqual([
    ["backup-ec2", "failed"],
  ]);
});

it("JUnit has a suite for each role, a failure for what failed, and text that XML takes", async () => {
  const { role, world } = twoAccounts();
  withoutAction(role("worker"), "sqs:SendMessage");
  const { report } = await check(world, { accounts: [{ accountId: production }] });
  const text = formatJunit(report);
  expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="garrison roles check" /);
  expect(text).toContain('<testsuite name="arn:aws:iam::222222222222:role/garrison-worker" tests="');
  const failure =
    '<failure type="grants" message="No IAM policy of arn:aws:iam::222222222222:role/garrison-worker allows sqs:SendMessage';
  expect(text.split(failure).length).toBe(2);
  expect(text).toContain("{&quot;Sid&quot;:&quot;DialogueSend&quot;");
  expect(text.match(/<testcase /g)?.length).toBe(
    report.accounts[0]?.roles.flatMap(({ findings }) => findings).length,
  );
});

it("without a choice of roles, those are checked that this release uses in such an account", async () => {
  const { roleIds: _chosen, ...unchosen } = request;
  const dependencies = { clock: new VirtualClock(), prober: memoryProber(twoAccounts().world) };
  const accounts = [{ accountId: production }, { accountId: backup }];
  const report = await checkOrganization(dependencies, { ...unchosen, accounts }, call);
  expect(report.accounts.map(({ roles }) => roles.map(({ roleId }) => roleId))).toEqual([
    ["backup-ec2", "restore-ec2", "worker"],
    ["worker-deployment", "worker"],
  ]);
});
