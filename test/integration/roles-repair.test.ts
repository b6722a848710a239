import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { createRole } from "@garrison/aws/create-role";
import { executeRoleChanges } from "@garrison/aws/execute-role-changes";
import { readHeldRole } from "@garrison/aws/read-held-role";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { chainSubjects } from "@garrison/roles/chain-subjects";
import { exportRole, roleValues, type ExportOptions } from "@garrison/roles/export-role";
import { beforeOf } from "@garrison/roles/testing/held-in-memory";
import { planRepair } from "@garrison/roles/repair/plan-repair";
import type { UndoRecord } from "@garrison/roles/repair/plan-undo";
import type { RepairPlan } from "@garrison/roles/repair/repair-plan";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applianceSession, openOperators, type LabOperators } from "./lab-operators.ts";
import { runRoles, type Ran } from "./run-roles.ts";

const backup = "111111111111";
const production = "222222222222";
const region = "eu-central-1";
const externalId = "garrison-7f3a";
const call = { signal: new AbortController().signal };
const options: ExportOptions = {
  accounts: { backup, production },
  externalId,
  withWorkersInProduction: true,
};
const workerRole = `arn:aws:iam::${production}:role/garrison-worker`;
const appliance = { arn: `arn:aws:iam::${backup}:role/garrison-appliance`, accountId: backup };
/** What IAM is told is felt elsewhere so much later. */
const iamDelayMs = 1000;

let lab: RunningLab;
let folder: string;
let operators: LabOperators;

const operator = (account: string) => operators.of(account);

const iam = () => operator(production).iam();
const held = () => readHeldRole(iam(), workerRole, call);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "garrison-repair-"));
  lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo", iamDelayMs });
  operators = openOperators(lab, region);
  await createRole(operator(backup), exportRole("appliance", options), call);
  await createRole(operator(production), exportRole("worker", options), call);
  await felt();
  const session = applianceSession(lab, backup);
  const lines = [
    "[appliance]",
    `aws_access_key_id = ${session.accessKeyId}`,
    `aws_secret_access_key = ${session.secretAccessKey}`,
    `aws_session_token = ${session.sessionToken}`,
  ];
  writeFileSync(join(folder, "credentials"), lines.join("\n"));
});

beforeEach(async () => {
  await createRole(operator(production), exportRole("worker", options), call);
});

afterAll(async () => {
  operators?.close();
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function felt(): Promise<void> {
  return lab.lab.clock.sleep(iamDelayMs + 50, call.signal);
}

/** As the account's operator, without a terminal. */
function run(account: string, ...words: readonly string[]): Promise<Ran> {
  return runRoles({ lab, account, region, folder }, ...words);
}

const file = (name: string) => join(folder, name);
const repairWords = ["repair", workerRole, "--backup-account", backup, "--external-id", externalId];

/** No profile, EC2 not trusted, one right gone. */
async function breakWorker(): Promise<void> {
  const { inlinePolicies, trust } = exportRole("worker", options);
  const cut = (statements: typeof trust.Statement, sid: string) =>
    statements.filter(({ Sid }) => Sid !== sid);
  const membership = { InstanceProfileName: "garrison-worker", RoleName: "garrison-worker" };
  await iam().send(new RemoveRoleFromInstanceProfileCommand(membership));
  await iam().send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: "garrison-worker",
      PolicyDocument: JSON.stringify({ ...trust, Statement: cut(trust.Statement, "GarrisonInstances") }),
    }),
  );
  const { document, name } = inlinePolicies[0]!;
  const PolicyDocument = JSON.stringify({ ...document, Statement: cut(document.Statement, "DialogueSend") });
  await iam().send(
    new PutRolePolicyCommand({ RoleName: "garrison-worker", PolicyName: name, PolicyDocument }),
  );
}

function planOf(role: Awaited<ReturnType<typeof held>>): RepairPlan {
  const request = {
    roleArn: workerRole,
    operations: [],
    placement: "production",
    region,
    externalId,
  } as const;
  const [subject] = chainSubjects(request, appliance);
  const wanted = { form: "scoped", values: roleValues(subject!.role, options) } as const;
  return planRepair({ subject: subject!, caller: appliance, wanted, held: role });
}

describe("garrison roles repair", () => {
  it("shows the difference and changes nothing without a yes", async () => {
    await breakWorker();
    const before = await held();
    const done = await run(production, ...repairWords);
    expect(done.stdout).toContain("replace the trust policy: garrison-worker");
    expect(done.stdout).toContain('    + {"Sid":"GarrisonInstances"');
    expect(done.stderr).toContain("3 changes need a yes");
    expect(done.code).toBe(2);
    expect(await held()).toEqual(before);
  });

  it.each([
    ["no\n", "Nothing was changed.", 1],
    ["", "Nothing was changed.", 1],
    ["yes\n", "3 changes written.", 0],
  ])("asks at a terminal, and takes %j as said", async (typed, told, code) => {
    await breakWorker();
    const before = await held();
    const undoFile = ["--undo-file", file(`typed-${code}-${typed.trim()}.json`), "--wait", "30"];
    const done = await runRoles(
      { lab, account: production, region, folder, typed },
      ...repairWords,
      ...undoFile,
    );
    expect(done.stdout).toContain(`Write these 3 changes to ${workerRole}? (yes/no) `);
    expect(done.stdout).toContain(told);
    expect(done.code).toBe(code);
    if (code === 1) expect(await held()).toEqual(before);
  });

  it("mends the role, waits until that is felt, finds nothing a second time, and is undone to the letter", async () => {
    await breakWorker();
    const before = await held();
    await felt();
    const first = await run(
      production,
      ...repairWords,
      "--yes",
      "--undo-file",
      file("undo.json"),
      "--appliance-profile",
      "appliance",
      "--wait",
      "30",
    );
    expect(first.stdout).toContain("3 changes written");
    expect(first.stdout).toContain("The role holds (checked as the appliance).");
    expect(first.code).toBe(0);
    expect(statSync(file("undo.json")).mode & 0o777).toBe(0o600);
    const second = await run(production, ...repairWords, "--yes");
    expect(second.stdout).toContain("nothing of its own to repair");
    expect(second.stdout).toContain("The role holds (checked with your own rights");
    expect(second.code).toBe(0);
    const undone = await run(production, "undo", file("undo.json"), "--yes");
    expect(undone.stdout).toContain("3 changes taken back");
    expect(await held()).toEqual(before);
    const again = await run(production, "undo", file("undo.json"), "--yes");
    expect(again.stdout).toContain("is as it was before");
    expect(again.code).toBe(0);
  });

  it("leaves a managed policy alone and prints the patch for its owner", async () => {
    const statement = { Sid: "NoQueues", Effect: "Deny", Action: "sqs:*", Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const made = await iam().send(new CreatePolicyCommand({ PolicyName: "guard", PolicyDocument }));
    const attachment = { RoleName: "garrison-worker", PolicyArn: made.Policy?.Arn };
    await iam().send(new AttachRolePolicyCommand(attachment));
    const done = await run(production, ...repairWords, "--yes", "--json");
    await iam().send(new DetachRolePolicyCommand(attachment));
    const said = JSON.parse(done.stdout) as RepairPlan & { readonly applied: boolean };
    expect(said).toMatchObject({ changes: [], applied: false, verdict: "failed" });
    expect(said.patches.map(({ policy }) => policy)).toEqual([attachment.PolicyArn]);
    expect(said.patches[0]?.statements).toEqual([
      {
        before: statement,
        after: { ...statement, Condition: { ArnNotEquals: { "aws:PrincipalArn": workerRole } } },
      },
    ]);
    expect(done.code).toBe(1);
  });

  it("refuses credentials of another account, and a role that isn't there", async () => {
    const foreign = await run(backup, ...repairWords, "--yes");
    expect(foreign.stderr).toContain("repair it with credentials of its own account");
    expect(foreign.code).toBe(2);
    const missing = workerRole.replace("garrison-worker", "gone");
    const accounts = ["--backup-account", backup, "--external-id", externalId];
    const gone = await run(production, "repair", missing, "--as", "worker", ...accounts);
    expect(gone.stderr).toContain("there is no role");
    expect(gone.code).toBe(1);
  });
});

describe("a repair under way", () => {
  it("writes nothing, and notes nothing, when the role was changed since the difference was shown", async () => {
    await breakWorker();
    const shown = await held();
    const theirs = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
    });
    const policy = { RoleName: "garrison-worker", PolicyName: "theirs" };
    await iam().send(new PutRolePolicyCommand({ ...policy, PolicyDocument: theirs }));
    const now = await held();
    let recorded = 0;
    const execution = {
      expected: beforeOf(shown),
      changes: planOf(shown).changes,
      record: async () => void recorded++,
    };
    await expect(executeRoleChanges(iam(), execution, call)).rejects.toMatchObject({
      code: "role-changed",
      message: expect.stringContaining("its inline policies"),
    });
    expect(recorded).toBe(0);
    expect(await held()).toEqual(now);
  });

  async function interrupt(): Promise<UndoRecord> {
    await breakWorker();
    const before = await held();
    const { changes } = planOf(before);
    const rule = { service: "iam", operation: "AddRoleToInstanceProfile", fault: "conflict" };
    await fetch(`${lab.endpoint}/_lab/faults`, { method: "POST", body: JSON.stringify(rule) });
    const execution = { expected: beforeOf(before), changes, record: async () => undefined };
    const failed = executeRoleChanges(iam(), execution, call);
    await expect(failed).rejects.toMatchObject({
      code: "repair-interrupted",
      details: { done: changes.slice(0, 2), left: changes.slice(2) },
    });
    await fetch(`${lab.endpoint}/_lab/faults`, { method: "DELETE" });
    return {
      format: "garrison-role-undo/1",
      roleArn: workerRole,
      plannedAt: "2026-11-25T04:00:00Z",
      before,
      changes,
    };
  }

  it("that failed half-way is completed by a second one", async () => {
    const { changes } = await interrupt();
    const half = await held();
    const rest = planOf(half).changes;
    expect(rest).toEqual(changes.slice(2));
    await executeRoleChanges(
      iam(),
      { expected: beforeOf(half), changes: rest, record: async () => undefined },
      call,
    );
    expect(planOf(await held()).changes).toEqual([]);
  });

  it("that failed half-way is taken back by its undo record", async () => {
    const record = await interrupt();
    writeFileSync(file("half.json"), JSON.stringify(record));
    const done = await run(production, "undo", file("half.json"), "--yes");
    expect(done.stdout).toContain("2 changes taken back");
    expect(await held()).toEqual(record.before);
  });
});

describe("garrison roles undo", () => {
  it("refuses a role that was changed since, and goes on with --force", async () => {
    await breakWorker();
    const before = await held();
    const { changes } = planOf(before);
    await executeRoleChanges(
      iam(),
      { expected: beforeOf(before), changes, record: async () => undefined },
      call,
    );
    const record = {
      format: "garrison-role-undo/1",
      roleArn: workerRole,
      plannedAt: "2026-11-25T04:00:00Z",
      before,
      changes,
    };
    writeFileSync(file("changed.json"), JSON.stringify(record));
    const PolicyDocument = JSON.stringify({ ...exportRole("worker", options).trust, Id: "theirs" });
    await iam().send(new UpdateAssumeRolePolicyCommand({ RoleName: "garrison-worker", PolicyDocument }));
    const refused = await run(production, "undo", file("changed.json"), "--yes");
    expect(refused.stderr).toContain("the trust policy changed since");
    expect(refused.code).toBe(1);
    const forced = await run(production, "undo", file("changed.json"), "--yes", "--force");
    expect(forced.code).toBe(0);
    expect(await held()).toEqual(before);
  });

  it("leaves out the deleted role that a former trust named, as the repair does: IAM does not store its id again", async () => {
    const { trust } = exportRole("worker", options);
    const RoleName = "gone";
    await iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    await felt();
    const theirs = { Sid: "Theirs", Effect: "Allow", Action: "sts:AssumeRole" };
    const named = { ...theirs, Principal: { AWS: `arn:aws:iam::${production}:role/gone` } };
    const kept = trust.Statement.filter(({ Sid }) => Sid !== "GarrisonInstances");
    const PolicyDocument = JSON.stringify({ ...trust, Statement: [...kept, named] });
    await iam().send(new UpdateAssumeRolePolicyCommand({ RoleName: "garrison-worker", PolicyDocument }));
    await iam().send(new DeleteRoleCommand({ RoleName }));
    await felt();
    const before = await held();
    expect(JSON.stringify(before.trust)).toContain("AROA");
    const undo = file("deleted.json");
    const mended = await run(production, ...repairWords, "--yes", "--undo-file", undo, "--wait", "30");
    expect(mended.code).toBe(0);
    const undone = await run(production, "undo", undo, "--yes");
    expect(undone.code).toBe(0);
    expect(await held()).toEqual({ ...before, trust: { ...before.trust, Statement: kept } });
    expect((await run(production, "undo", undo, "--yes")).stdout).toContain("is as it was before");
  });

  it("refuses a file that names what no repair touches", async () => {
    const before = await held();
    const changes = [{ what: "delete the inline policy", name: "theirs", before: {} }];
    const record = {
      format: "garrison-role-undo/1",
      roleArn: workerRole,
      plannedAt: "2026-11-25T04:00:00Z",
      before,
      changes,
    };
    writeFileSync(file("forged.json"), JSON.stringify(record));
    const done = await run(production, "undo", file("forged.json"), "--yes");
    expect(done.stderr).toContain("is not what a create or a repair writes");
    expect(done.code).toBe(2);
  });
});
