import {
  AddRoleToInstanceProfileCommand,
  CreatePolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
} from "@aws-sdk/client-iam";
import {
  AttachPolicyCommand,
  CreatePolicyCommand as CreateOrganizationPolicyCommand,
  DetachPolicyCommand,
} from "@aws-sdk/client-organizations";
import type { RunWithSteps } from "@garrison/api/schemas/runs";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { createRole } from "@garrison/aws/create-role";
import { systemClock } from "@garrison/core/clock";
import { exportRole, type RoleDocuments } from "@garrison/roles/export-role";
import type { PolicyStatement } from "@garrison/roles/policy-statement";
import type { RoleId } from "@garrison/roles/role-definition";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  arnOf,
  completeRun,
  exportOptions,
  inventory,
  openApplianceLab,
  productionAccount,
  region,
  signal,
  tell,
  type ApplianceLab,
} from "./appliance-lab.ts";

const managementAccount = "999999999999";
const workerRole = `arn:aws:iam::${productionAccount}:role/garrison-worker`;
const operatorArn = `arn:aws:iam::${productionAccount}:user/operator`;
const launchingRole = `arn:aws:iam::${productionAccount}:role/garrison-backup-ec2`;

let lab: ApplianceLab;
let management: AwsClients;
beforeAll(async () => {
  lab = await openApplianceLab({ driftEveryMs: 5000 });
  const keys = lab.lab.operators[managementAccount]!;
  management = openAwsClients({ region, endpoint: lab.lab.endpoint, credentials: async () => ({ ...keys }) });
}, 600_000);
afterAll(async () => {
  management?.close();
  await lab?.stop();
});

const iam = () => lab.operator.production.iam();
const documentsOf = (id: RoleId) => exportRole(id, exportOptions(lab.appliance.installation));

interface BrokenLink {
  readonly link: string;
  readonly action?: string;
  readonly sentence: string;
}

/**
 * Backs up, and expects of the run what a broken chain has to do: fail in its first step, say which link in one sentence
 * each, and make nothing. Answers the failure's findings.
 */
async function expectRefused(): Promise<{
  readonly message: string;
  readonly findings: readonly BrokenLink[];
}> {
  const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
  expect(run.status, tell(run)).toBe("failed");
  expect(run.steps.map(({ name }) => name)).toEqual(["check the role chain"]);
  expect(run.failure?.code).toBe("role-chain-broken");
  const findings = (run.failure?.details?.["findings"] ?? []) as BrokenLink[];
  expect(findings.length).toBeGreaterThan(0);
  for (const { sentence } of findings) expect(run.failure?.message).toContain(sentence);
  expect(await inventory(lab)).toEqual({ snapshots: [], workers: [], queues: [], images: [] });
  return { message: run.failure?.message ?? "", findings };
}

/** Writes the role with something taken out or bent, and as documented again afterwards. */
async function withBroken(
  id: RoleId,
  broken: RoleDocuments,
): Promise<Awaited<ReturnType<typeof expectRefused>>> {
  await createRole(lab.operator.production, broken, { signal });
  try {
    return await expectRefused();
  } finally {
    await createRole(lab.operator.production, documentsOf(id), { signal });
  }
}

function withTrust(
  documents: RoleDocuments,
  change: (statement: PolicyStatement) => PolicyStatement[],
): RoleDocuments {
  return {
    ...documents,
    trust: { ...documents.trust, Statement: documents.trust.Statement.flatMap(change) },
  };
}

function withoutAction(documents: RoleDocuments, action: string): RoleDocuments {
  const inlinePolicies = documents.inlinePolicies.map(({ document, name }) => {
    const Statement = document.Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((one) => one !== action),
    })).filter((statement) => statement.Action.length > 0);
    return { name, document: { ...document, Statement } };
  });
  return { ...documents, inlinePolicies };
}

const linksOf = (findings: readonly BrokenLink[]) => [...new Set(findings.map(({ link }) => link))];

describe("a backup fails before anything is made, and says why in one sentence,", () => {
  test("when the worker role is in no instance profile", async () => {
    const membership = { InstanceProfileName: "garrison-worker", RoleName: "garrison-worker" };
    await iam().send(new RemoveRoleFromInstanceProfileCommand(membership));
    const { findings, message } = await expectRefused().finally(() =>
      iam().send(new AddRoleToInstanceProfileCommand(membership)),
    );
    expect(linksOf(findings)).toEqual(["instance-profile"]);
    expect(message).toContain(`${workerRole} is in no instance profile`);
  });

  test("when the worker role does not trust EC2", async () => {
    const broken = withTrust(documentsOf("worker"), (one) => (one.Sid === "GarrisonInstances" ? [] : [one]));
    const { findings, message } = await withBroken("worker", broken);
    expect(linksOf(findings)).toEqual(["ec2-trust"]);
    expect(message).toContain("ec2.amazonaws.com");
    expect(message).toContain(workerRole);
  });

  test("when the worker role does not trust the appliance", async () => {
    const broken = withTrust(documentsOf("worker"), (one) => (one.Sid === "GarrisonAppliance" ? [] : [one]));
    const { findings, message } = await withBroken("worker", broken);
    expect(linksOf(findings)).toEqual(["assume-role", "trust-policy"]);
    expect(message).toContain("trust policy");
    expect(message).toContain("garrison-appliance");
  });

  test("when the launching role does not trust the appliance", async () => {
    const broken = withTrust(documentsOf("backup-ec2"), (one) => [
      { ...one, Principal: { AWS: `arn:aws:iam::${productionAccount}:root` } },
    ]);
    const { findings, message } = await withBroken("backup-ec2", broken);
    expect(linksOf(findings)).toContain("assume-role");
    expect(message).toContain(launchingRole);
  });

  test("when the launching role asks for another external ID", async () => {
    const broken = withTrust(documentsOf("backup-ec2"), (one) => {
      const { StringEquals: _, ...others } = one.Condition ?? {};
      return [{ ...one, Condition: { ...others, StringEquals: { "sts:ExternalId": "another" } } }];
    });
    const { findings, message } = await withBroken("backup-ec2", broken);
    expect(linksOf(findings)).toContain("assume-role");
    expect(message).toContain(launchingRole);
    expect(message).toContain("external ID");
  });

  test("when the launching role may not pass the worker role", async () => {
    const { findings } = await withBroken(
      "backup-ec2",
      withoutAction(documentsOf("backup-ec2"), "iam:PassRole"),
    );
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ link: "pass-role", action: "iam:PassRole" });
    expect(findings[0]?.sentence).toMatch(/iam:PassRole.*garrison-worker/);
  });

  test("when an organisation policy denies under a condition", async () => {
    const guard = {
      Sid: "WorkersByOperatorsOnly",
      Effect: "Deny",
      Action: "ec2:RunInstances",
      Resource: "arn:aws:ec2:*:*:instance/*",
      Condition: {
        StringNotEquals: { "aws:PrincipalArn": `arn:aws:iam::${productionAccount}:role/platform` },
      },
    };
    const Content = JSON.stringify({ Version: "2012-10-17", Statement: [guard] });
    const Type = "SERVICE_CONTROL_POLICY";
    const made = await management
      .organizations()
      .send(new CreateOrganizationPolicyCommand({ Name: "guard", Description: "", Type, Content }));
    const attachment = { PolicyId: made.Policy?.PolicySummary?.Id, TargetId: "ou-root-workloads" };
    await management.organizations().send(new AttachPolicyCommand(attachment));
    const { findings } = await expectRefused().finally(() =>
      management.organizations().send(new DetachPolicyCommand(attachment)),
    );
    expect(findings.map(({ action }) => action)).toEqual(["ec2:RunInstances"]);
    expect(findings[0]?.sentence).toContain("organisation policy (SCP)");
  });

  test("when a permissions boundary of the worker role is too narrow", async () => {
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", NotAction: "sqs:ReceiveMessage", Resource: "*" }],
    });
    const made = await iam().send(new CreatePolicyCommand({ PolicyName: "edge", PolicyDocument }));
    const RoleName = "garrison-worker";
    const boundary = { RoleName, PermissionsBoundary: made.Policy?.Arn };
    await iam().send(new PutRolePermissionsBoundaryCommand(boundary));
    const { findings } = await expectRefused().finally(() =>
      iam().send(new DeleteRolePermissionsBoundaryCommand({ RoleName })),
    );
    expect(findings.map(({ action }) => action)).toEqual(["sqs:ReceiveMessage"]);
    expect(findings[0]?.sentence).toContain("permissions boundary");
  });

  test.each(["sqs:SendMessage", "ssm:UpdateInstanceInformation", "ssmmessages:OpenControlChannel"])(
    "when the worker role lacks %s",
    async (action) => {
      const { findings } = await withBroken("worker", withoutAction(documentsOf("worker"), action));
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ link: "grants", action, subject: workerRole });
      expect(findings[0]?.sentence).toContain(action);
    },
  );

  test.each(["ec2:CreateSnapshots", "ec2:RunInstances", "sqs:CreateQueue"])(
    "when the launching role lacks %s",
    async (action) => {
      const { findings } = await withBroken("backup-ec2", withoutAction(documentsOf("backup-ec2"), action));
      expect(new Set(findings.map((finding) => finding.action))).toEqual(new Set([action]));
      expect(findings[0]).toMatchObject({ link: "grants", subject: launchingRole });
    },
  );
});

describe("the report by REST", () => {
  const checkOf = { operation: "ec2.image-backup" as const };

  test("says of one account what the command says: link, sentence, statement and the patch for its owner", async () => {
    const broken = withoutAction(documentsOf("worker"), "sqs:SendMessage");
    await createRole(lab.operator.production, broken, { signal });
    const params = { accountId: productionAccount };
    const report = await lab.api
      .call("checkAccountRoles", { params, body: checkOf }, signal)
      .finally(() => createRole(lab.operator.production, documentsOf("worker"), { signal }));
    expect(report.verdict).toBe("failed");
    const [finding] = report.findings.filter(({ verdict }) => verdict === "failed");
    expect(finding).toMatchObject({ link: "grants", subject: workerRole, action: "sqs:SendMessage" });
    expect(finding?.patches).toMatchObject([
      { layer: "identity", policy: "garrison-worker", accountId: productionAccount, change: "add" },
    ]);
  });

  test("lists what the roles can do beyond the catalogue when it is asked for", async () => {
    const params = { accountId: productionAccount };
    const report = await lab.api.call(
      "checkAccountRoles",
      { params, body: { ...checkOf, least: true } },
      signal,
    );
    expect(report).toMatchObject({ verdict: "passed", excess: [] });
  });

  test("checks every role of every account at once", async () => {
    const report = await lab.api.call("checkAllRoles", { body: {} }, signal);
    expect(
      report.accounts.map(({ name, roles }) => [name, roles.map(({ roleId, verdict }) => [roleId, verdict])]),
    ).toEqual([
      [
        "backup",
        [
          ["worker-deployment", "passed"],
          ["worker", "passed"],
        ],
      ],
      [
        "production",
        [
          ["backup-ec2", "passed"],
          ["restore-ec2", "passed"],
          ["worker", "passed"],
        ],
      ],
    ]);
  });
});

test("the same backup succeeds once every link is mended", async () => {
  const run: RunWithSteps = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
  expect(run.status, tell(run)).toBe("succeeded");
});

describe("a change of a role since the last good check", () => {
  const check = () =>
    lab.api.call(
      "checkAccountRoles",
      { params: { accountId: productionAccount }, body: { operation: "ec2.image-backup" } },
      signal,
    );
  const driftsOf = async (roleArn: string) =>
    (await lab.api.call("listRoleDrift", { query: { roleArn, limit: 10 } }, signal)).items;
  const { document, name } = exportRole("worker").inlinePolicies[0]!;

  test("is shown with the trust before and after when a check finds the role broken by it, once", async () => {
    const right = documentsOf("worker");
    const broken = withTrust(right, (one) => (one.Sid === "GarrisonInstances" ? [] : [one]));
    expect((await check()).verdict).toBe("passed");
    await createRole(lab.operator.production, broken, { signal });
    expect((await check()).verdict).toBe("failed");
    await check();
    const [newest, ...others] = await driftsOf(workerRole);
    expect(newest).toMatchObject({
      accountId: productionAccount,
      isBroken: true,
      changes: [{ part: "trust policy", before: right.trust, after: broken.trust }],
      events: [{ name: "UpdateAssumeRolePolicy", who: operatorArn, from: "127.0.0.1" }],
    });
    const again = others.filter(({ since }) => since === newest?.since);
    expect(again).toEqual([]);
    await createRole(lab.operator.production, right, { signal });
  });

  test("stands in the log of the run that it broke", async () => {
    expect((await check()).verdict).toBe("passed");
    const cut = withoutAction(documentsOf("worker"), "sqs:SendMessage");
    await createRole(lab.operator.production, cut, { signal });
    const run = await completeRun(lab, { kind: "backup", resource: arnOf(lab.instance) });
    await createRole(lab.operator.production, documentsOf("worker"), { signal });
    const line = run.steps[0]?.log.find(({ message }) => message.startsWith("changed since"));
    expect(line).toMatchObject({ resource: workerRole });
    expect(line?.message).toContain(`inline policy ${name}; PutRolePolicy by ${operatorArn} at 2`);
  });

  test("gets its author at a later check when CloudTrail could not be asked at first", async () => {
    expect((await check()).verdict).toBe("passed");
    const policy = { RoleName: "garrison-worker", PolicyName: "later" };
    const silence = { service: "cloudtrail", operation: "LookupEvents", fault: "conflict" };
    await fetch(`${lab.lab.endpoint}/_lab/faults`, { method: "POST", body: JSON.stringify(silence) });
    await iam().send(new PutRolePolicyCommand({ ...policy, PolicyDocument: JSON.stringify(document) }));
    const find = async () =>
      (await driftsOf(workerRole)).find(({ changes }) => changes[0]?.part === "inline policy later");
    expect((await check()).verdict).toBe("passed");
    expect(await find()).toMatchObject({
      events: [],
      eventsUnread: expect.stringContaining("CloudTrail could not be asked: "),
    });
    await fetch(`${lab.lab.endpoint}/_lab/faults`, { method: "DELETE" });
    await check();
    const told = await find();
    expect(told).toMatchObject({ events: [{ name: "PutRolePolicy", who: operatorArn }] });
    expect(told).not.toHaveProperty("eventsUnread");
    await iam().send(new DeleteRolePolicyCommand(policy));
  });

  test("is found without a run, on a schedule, though the role is still good", async () => {
    expect((await check()).verdict).toBe("passed");
    const PolicyDocument = JSON.stringify({ ...document, Statement: document.Statement.slice(0, 1) });
    const policy = { RoleName: "garrison-worker", PolicyName: "theirs" };
    await iam().send(new PutRolePolicyCommand({ ...policy, PolicyDocument }));
    const isFound = async () =>
      (await driftsOf(workerRole)).some(({ changes }) =>
        changes.some(({ part }) => part === "inline policy theirs"),
      );
    while (!(await isFound())) await systemClock.sleep(200, AbortSignal.timeout(120_000));
    const drift = (await driftsOf(workerRole)).find(
      ({ changes }) => changes[0]?.part === "inline policy theirs",
    );
    expect(drift).toMatchObject({ isBroken: false });
    expect(drift?.changes[0]).not.toHaveProperty("before");
    await iam().send(new DeleteRolePolicyCommand(policy));
  });
});
