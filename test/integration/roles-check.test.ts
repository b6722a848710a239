import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  AddRoleToInstanceProfileCommand,
  CreatePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  PutRolePermissionsBoundaryCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AttachPolicyCommand,
  CreatePolicyCommand as CreateOrganizationPolicy,
  DetachPolicyCommand,
} from "@aws-sdk/client-organizations";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { createRole, planRoleChanges } from "@garrison/aws/create-role";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber, type AwsProber } from "@garrison/aws/role-prober";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { ChainReport } from "@garrison/roles/chain-report";
import type { ChainRequest } from "@garrison/roles/chain-request";
import { checkChain } from "@garrison/roles/check-chain";
import { exportRole, type ExportOptions, type RoleDocuments } from "@garrison/roles/export-role";
import type { PolicyStatement, PolicyText } from "@garrison/roles/policy-statement";
import type { RoleId } from "@garrison/roles/role-definition";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applianceSession, openOperators, type LabOperators } from "./lab-operators.ts";

const backup = "111111111111";
const production = "222222222222";
const management = "999999999999";
const region = "eu-central-1";
const externalId = "garrison-7f3a";
const call = { signal: new AbortController().signal };
const options: ExportOptions = {
  accounts: { backup, production },
  externalId,
  withWorkersInProduction: true,
  bucket: "vault",
};
const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const backupRole = roleArn(production, "garrison-backup-ec2");
const workerRole = roleArn(production, "garrison-worker");
const base: ChainRequest = {
  roleArn: backupRole,
  operations: ["ec2.image-backup"],
  placement: "production",
  externalId,
  region,
};

let lab: RunningLab;
let dataDir: string;
let prober: AwsProber;
let operators: LabOperators;

const operator = (account: string) => operators.of(account);

function document(id: RoleId, change: ExportOptions = {}): RoleDocuments {
  return exportRole(id, { ...options, ...change });
}

function applianceKeys() {
  return applianceSession(lab, backup);
}

function check(request: Partial<ChainRequest> = {}): Promise<ChainReport> {
  return checkChain({ prober }, { ...base, ...request }, call);
}

function explainedCheck(request: Partial<ChainRequest> = {}): Promise<ChainReport> {
  const policyReader = openPolicyReader([operator(production), operator(backup), operator(management)]);
  return checkChain({ prober, policyReader }, { ...base, ...request }, call);
}

function failures(report: ChainReport) {
  return report.findings.filter(({ verdict }) => verdict === "failed");
}

/** The documents with one thing taken out; writing the whole documents again mends it. */
async function withBroken(broken: RoleDocuments, account: string, then: () => Promise<void>): Promise<void> {
  await createRole(operator(account), broken, call);
  try {
    await then();
  } finally {
    await createRole(operator(account), document(broken.roleId), call);
  }
}

function withoutAction(documents: RoleDocuments, action: string): RoleDocuments {
  const cut = (policy: PolicyText): PolicyText => ({
    ...policy,
    Statement: policy.Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((one) => one !== action),
    })).filter((statement) => statement.Action.length > 0),
  });
  const inlinePolicies = documents.inlinePolicies.map(({ document: policy, name }) => ({
    name,
    document: cut(policy),
  }));
  return { ...documents, inlinePolicies };
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

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "garrison-roles-"));
  lab = await startLab({ dataDir, seed: "demo" });
  operators = openOperators(lab, region);
  for (const id of ["appliance", "worker-deployment", "repository"] as const) {
    await createRole(operator(backup), document(id), call);
  }
  await createRole(operator(backup), document("worker", { placement: "backup" }), call);
  for (const id of ["backup-ec2", "restore-ec2", "worker"] as const) {
    await createRole(operator(production), document(id), call);
  }
  const keys = applianceKeys();
  prober = openProber(openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys }));
});

afterAll(async () => {
  prober?.close();
  operators?.close();
  await lab?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe("roles made from the exported documents", () => {
  it("hold for a backup, a restore, and with the worker in the backup account", async () => {
    const restore = roleArn(production, "garrison-restore-ec2");
    for (const request of [
      {},
      { roleArn: restore, operations: ["ec2.instance-restore"] },
      { placement: "backup" },
      { roleArn: roleArn(backup, "garrison-repository"), bucket: "vault" },
    ] as const) {
      const report = await check(request);
      expect(failures(report)).toEqual([]);
      expect(report.verdict).toBe("passed");
    }
  });

  it("hold in the compatible form too", async () => {
    await createRole(operator(production), document("worker", { form: "compatible" }), call);
    try {
      expect((await check()).verdict).toBe("passed");
    } finally {
      await createRole(operator(production), document("worker"), call);
    }
  });

  it("hold when an operator's read rights are added, and both ways agree", async () => {
    const report = await explainedCheck();
    expect(report.findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
    expect(report.findings.some(({ knownBy }) => knownBy.includes("evaluated"))).toBe(true);
  });

  it("are left as they are when they are written a second time", async () => {
    expect(await planRoleChanges(operator(production), document("worker"), call)).toMatchObject({
      changes: [],
    });
    expect(await createRole(operator(production), document("worker"), call)).toEqual([]);
  });
});

describe("a broken chain", () => {
  it("without instance profile", async () => {
    const iam = operator(production).iam();
    const membership = { InstanceProfileName: "garrison-worker", RoleName: "garrison-worker" };
    await iam.send(new RemoveRoleFromInstanceProfileCommand(membership));
    const found = failures(await check());
    await iam.send(new AddRoleToInstanceProfileCommand(membership));
    expect(found.map(({ link }) => link)).toEqual(["instance-profile"]);
    expect(found[0]?.sentence).toContain(`${workerRole} is in no instance profile`);
  });

  it("with EC2 not trusted", async () => {
    const broken = withTrust(document("worker"), (one) => (one.Sid === "GarrisonInstances" ? [] : [one]));
    await withBroken(broken, production, async () => {
      const found = failures(await check());
      expect(found.map(({ link }) => link)).toEqual(["ec2-trust"]);
    });
  });

  it("with the appliance not trusted by the worker role, read through the instance profile", async () => {
    const broken = withTrust(document("worker"), (one) => (one.Sid === "GarrisonAppliance" ? [] : [one]));
    await withBroken(broken, production, async () => {
      const found = failures(await check());
      expect(found.map(({ link }) => link)).toEqual(["assume-role", "trust-policy"]);
      expect(found[1]?.knownBy).toEqual(["read in the instance profile"]);
      expect(found[1]?.fix).toMatchObject({ Sid: "GarrisonAppliance" });
    });
  });

  it("with the appliance not trusted by the launching role, explained by an operator's rights", async () => {
    const broken = withTrust(document("backup-ec2"), (one) => [
      { ...one, Principal: { AWS: `arn:aws:iam::${production}:root` } },
    ]);
    await withBroken(broken, production, async () => {
      expect(failures(await check())[0]?.sentence).toContain("STS does not say why");
      const found = failures(await explainedCheck());
      expect(found[0]).toMatchObject({ link: "assume-role", subject: backupRole });
      expect(found[0]?.sentence).toContain("No statement in the trust policy");
    });
  });

  it("with a wrong external ID, naming the statement that asks for another one", async () => {
    const report = await explainedCheck({ externalId: "wrong" });
    const trust = failures(report).find(
      ({ link, subject }) => link === "trust-policy" && subject === backupRole,
    );
    expect(trust?.sentence).toContain("only with the external ID");
    expect(trust?.statement).toMatchObject({ sid: "GarrisonAppliance", accountId: production });
  });

  it("with a role that asks for no external ID", async () => {
    const broken = withTrust(document("backup-ec2"), ({ Condition: condition, ...one }) => [
      { ...one, Condition: { ArnEquals: condition?.["ArnEquals"] ?? {} } },
    ]);
    await withBroken(broken, production, async () => {
      const found = failures(await check());
      expect(found.map(({ link }) => link)).toEqual(["external-id-required"]);
    });
  });

  it("with a trust that names a role which was deleted and made again", async () => {
    const { instanceProfile: _profile, ...appliance } = document("appliance");
    await createRole(operator(backup), { ...appliance, roleName: "old-appliance" }, call);
    const principal = { AWS: roleArn(backup, "old-appliance") };
    const broken = withTrust(document("worker"), (one) =>
      one.Sid === "GarrisonAppliance" ? [{ ...one, Principal: principal }] : [one],
    );
    const iam = operator(production).iam();
    await iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: "garrison-worker",
        PolicyDocument: JSON.stringify(broken.trust),
      }),
    );
    const backupIam = operator(backup).iam();
    await backupIam.send(
      new DeleteRolePolicyCommand({ RoleName: "old-appliance", PolicyName: "garrison-appliance" }),
    );
    await backupIam.send(new DeleteRoleCommand({ RoleName: "old-appliance" }));
    const found = failures(await check());
    await createRole(operator(production), document("worker"), call);
    expect(found.find(({ link }) => link === "trust-policy")?.sentence).toContain("trusts a deleted role");
  });

  it("with PassRole missing", async () => {
    await withBroken(withoutAction(document("backup-ec2"), "iam:PassRole"), production, async () => {
      const found = failures(await check());
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ link: "pass-role", action: "iam:PassRole", resource: workerRole });
      expect(found[0]?.sentence).toContain("No IAM policy of");
    });
  });

  it("with the worker role in another account", async () => {
    const found = failures(await check({ workerRoleArn: roleArn(backup, "garrison-worker") }));
    expect(found.some(({ sentence }) => sentence.includes("is in another account"))).toBe(true);
  });

  it("with an organisation policy that denies under a condition: the statement is named with read rights", async () => {
    const organizations = operator(management).organizations();
    const Content = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "WorkersByOperatorsOnly",
          Effect: "Deny",
          Action: "ec2:RunInstances",
          Resource: "arn:aws:ec2:*:*:instance/*",
          Condition: { StringNotEquals: { "aws:PrincipalArn": "arn:aws:iam::222222222222:role/platform" } },
        },
      ],
    });
    const made = await organizations.send(
      new CreateOrganizationPolicy({
        Name: "guard",
        Description: "",
        Type: "SERVICE_CONTROL_POLICY",
        Content,
      }),
    );
    const PolicyId = made.Policy?.PolicySummary?.Id;
    await organizations.send(new AttachPolicyCommand({ PolicyId, TargetId: "ou-root-workloads" }));
    const plain = failures(await check());
    const explained = failures(await explainedCheck());
    await organizations.send(new DetachPolicyCommand({ PolicyId, TargetId: "ou-root-workloads" }));
    expect(plain.map(({ action }) => action)).toEqual(["ec2:RunInstances"]);
    expect(plain[0]?.sentence).toContain("organisation policy (SCP)");
    expect(explained[0]?.statement).toMatchObject({ layer: "scp", sid: "WorkersByOperatorsOnly" });
    expect(explained[0]?.sentence).toContain("WorkersByOperatorsOnly");
  });

  it("with a permissions boundary that is too narrow", async () => {
    const iam = operator(production).iam();
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", NotAction: "ssmmessages:*", Resource: "*" }],
    });
    const made = await iam.send(new CreatePolicyCommand({ PolicyName: "edge", PolicyDocument }));
    await iam.send(
      new PutRolePermissionsBoundaryCommand({
        RoleName: "garrison-worker",
        PermissionsBoundary: made.Policy?.Arn,
      }),
    );
    const found = failures(await check());
    const explained = failures(await explainedCheck());
    await iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: "garrison-worker" }));
    expect(found.map(({ action }) => action)).toEqual([
      "ssmmessages:CreateControlChannel",
      "ssmmessages:OpenControlChannel",
    ]);
    expect(found[0]?.sentence).toContain("permissions boundary");
    expect(explained[0]?.statement).toMatchObject({
      layer: "boundary",
      policy: `arn:aws:iam::${production}:policy/edge`,
    });
  });
});

describe("each action that the path uses is found by name when it is missing", () => {
  const used = [
    "iam:GetContextKeysForPrincipalPolicy",
    "iam:GetRole",
    "iam:ListInstanceProfilesForRole",
    "iam:SimulatePrincipalPolicy",
    "sqs:DeleteMessage",
    "sqs:ListQueues",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:OpenControlChannel",
  ];
  it.each(used)("%s of the worker role", async (action) => {
    await withBroken(withoutAction(document("worker"), action), production, async () => {
      const found = failures(await check()).filter((finding) => finding.action === action);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ link: "grants", subject: workerRole, fix: { Action: [action] } });
      expect(found[0]?.sentence).toContain(action);
    });
  });
});

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

async function run(
  keys: Keys,
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env["PATH"],
    AWS_ENDPOINT_URL: lab.endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SHARED_CREDENTIALS_FILE: join(dataDir, "credentials"),
    AWS_CONFIG_FILE: join(dataDir, "config"),
    ...(keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
  };
  try {
    return { code: 0, ...(await promisify(execFile)(garrison, words, { env })) };
  } catch (error) {
    const {
      code = 1,
      stderr = "",
      stdout = "",
    } = error as { code?: number; stdout?: string; stderr?: string };
    return { code, stdout, stderr };
  }
}

describe("garrison roles check", () => {
  it("exits 0 with a table for people", async () => {
    const words = [
      "roles",
      "check",
      backupRole,
      "--operation",
      "ec2.image-backup",
      "--external-id",
      externalId,
    ];
    const done = await run(applianceKeys(), ...words);
    expect(done.stderr).toBe("");
    expect(done.stdout).toContain(
      "The chain holds for ec2.image-backup with the worker in the production account",
    );
    expect(done.code).toBe(0);
  });

  it("exits 1 with the report as one JSON object", async () => {
    const done = await run(applianceKeys(), "roles", "check", workerRole, "--external-id", "wrong", "--json");
    expect((JSON.parse(done.stdout) as ChainReport).verdict).toBe("failed");
    expect(done.code).toBe(1);
  });

  it("names the statement with the read rights of operators' profiles", async () => {
    const profiles = { prod: lab.operators[production]!, management: lab.operators[management]! };
    const lines = Object.entries(profiles).flatMap(([name, keys]) => [
      `[${name}]`,
      `aws_access_key_id = ${keys.accessKeyId}`,
      `aws_secret_access_key = ${keys.secretAccessKey}`,
    ]);
    writeFileSync(join(dataDir, "credentials"), lines.join("\n"));
    const words = [
      "roles",
      "check",
      workerRole,
      "--external-id",
      "wrong",
      "--operator-profile",
      "prod",
      "management",
    ];
    const done = await run(applianceKeys(), ...words);
    expect(done.stdout).toContain("only with the external ID in its trust policy");
    expect(done.stdout).toContain(
      "where: trust: trust policy, statement GarrisonAppliance, account 222222222222",
    );
    expect(done.code).toBe(1);
  });

  it("checks whole accounts with --all, at AWS's pace: refusals for the rate are nobody's finding", async () => {
    const accounts = join(dataDir, "accounts.txt");
    writeFileSync(accounts, `# ours\n${production} shop\n`);
    const junit = join(dataDir, "roles.xml");
    lab.lab.faults.add({ service: "iam", fault: "throttle", probability: 0.2, seed: "pace" });
    lab.lab.faults.add({ service: "sts", fault: "throttle", probability: 0.2, seed: "pace" });
    const words = ["roles", "check", "--all", "--accounts", accounts, "--external-id", externalId];
    const roles = ["--role", "backup-ec2", "restore-ec2", "worker", "--junit", junit];
    const done = await run(applianceKeys(), ...words, ...roles).finally(() => lab.lab.faults.clear());
    expect(done.stdout).toContain(
      "account       name  backup-ec2  restore-ec2  worker\n222222222222  shop  ok          ok           ok\n",
    );
    expect(done.stdout).toContain("3 roles in 1 accounts: 0 failed, 0 unknown, 3 passed");
    expect(done.stderr).toContain("3 of 3 roles checked");
    expect(done.stdout + done.stderr).not.toMatch(/throttl|rate exceeded/i);
    expect(readFileSync(junit, "utf8")).toContain('failures="0" errors="0"');
    expect(done.code).toBe(0);
  });

  it("exits 2 for accounts that are none, and for a role together with --all", async () => {
    const words = ["roles", "check", "--all", "--accounts"];
    const none = await run(applianceKeys(), ...words, "2222");
    expect(none.stderr).toContain("--accounts: 2222 is not an account id (12 digits)");
    expect(none.code).toBe(2);
    const both = await run(applianceKeys(), "roles", "check", workerRole, "--all");
    expect(both.stderr).toContain("give the ARN of one role, or --all");
    expect(both.code).toBe(2);
  });

  it("exits 2 for what is not a role", async () => {
    const done = await run(applianceKeys(), "roles", "check", "garrison-worker");
    expect(done.stderr).toContain("is not the ARN of a role");
    expect(done.code).toBe(2);
  });
});

describe("garrison roles create", () => {
  const words = ["roles", "create", "worker", "--name", "worker=second-worker"];
  const accounts = [
    "--backup-account",
    backup,
    "--production-account",
    production,
    "--external-id",
    externalId,
  ];

  it("refuses to write a trust that still holds a placeholder", async () => {
    const done = await run(lab.operators[production]!, ...words, "--yes");
    expect(done.stderr).toContain("second-worker still needs BACKUP_ACCOUNT_ID and EXTERNAL_ID");
    expect(done.code).toBe(2);
  });

  it("writes the role, and finds nothing to do the second time", async () => {
    const undoFile = ["--undo-file", join(dataDir, "second-worker.json")];
    const first = await run(lab.operators[production]!, ...words, ...accounts, "--yes", ...undoFile);
    expect(first.stdout).toContain("4 changes written");
    const second = await run(lab.operators[production]!, ...words, ...accounts, "--yes");
    expect(second.stdout).toContain("second-worker: as documented already");
  });

  it("leaves it to the check to say that the appliance may not assume a role of another name yet", async () => {
    const request = { roleArn: roleArn(production, "second-worker"), roleId: "worker" } as const;
    const [failure, ...others] = failures(await explainedCheck(request));
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      link: "assume-role",
      fix: { Action: ["sts:AssumeRole"], Resource: [request.roleArn] },
    });
    expect(failure?.sentence).toContain("garrison-appliance");
    const names = { worker: "second-worker" };
    await createRole(operator(backup), document("appliance", { names }), call);
    expect((await check(request)).verdict).toBe("passed");
    await createRole(operator(backup), document("appliance"), call);
  });
});
