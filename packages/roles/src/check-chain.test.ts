import { describe, expect, it } from "vitest";
import type { ChainReport } from "./chain-report.ts";
import type { ChainRequest } from "./chain-request.ts";
import { checkChain } from "./check-chain.ts";
import { findRole } from "./role-catalogue.ts";
import { exportRole, type ExportOptions } from "./export-role.ts";
import type { PolicyStatement, PolicyText } from "./policy-statement.ts";
import type { Prober, RoleProbe, SimulatedDecision } from "./prober.ts";
import type { RoleId } from "./role-definition.ts";
import {
  addRole,
  memoryPolicyReader,
  memoryProber,
  memoryWorld,
  type MemoryRole,
  type MemoryWorld,
} from "./testing/memory-world.ts";

const backup = "111111111111";
const production = "222222222222";
const call = { signal: new AbortController().signal };
const options: ExportOptions = {
  accounts: { backup, production },
  externalId: "garrison-7f3a",
  withWorkersInProduction: true,
};
const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const backupRole = roleArn(production, "garrison-backup-ec2");
const workerRole = roleArn(production, "garrison-worker");

interface Stage {
  readonly base: ChainRequest;
  readonly world: MemoryWorld;
  readonly role: (id: RoleId) => MemoryRole;
  check(request?: Partial<ChainRequest>, as?: { operator?: boolean }): Promise<ChainReport>;
}

function stage(change: ExportOptions = {}): Stage {
  const world = memoryWorld(`arn:aws:sts::${backup}:assumed-role/garrison-appliance/i-0123456789abcdef0`);
  const all = { ...options, ...change };
  const made = new Map<RoleId, MemoryRole>();
  for (const id of ["appliance", "worker-deployment", "repository"] as const) {
    made.set(id, addRole(world, backup, exportRole(id, all)));
  }
  for (const id of ["backup-ec2", "restore-ec2", "worker"] as const) {
    made.set(id, addRole(world, production, exportRole(id, all)));
  }
  addRole(world, backup, exportRole("worker", { ...all, placement: "backup" }));
  const base: ChainRequest = {
    roleArn: backupRole,
    operations: ["ec2.image-backup"],
    placement: "production",
    externalId: "garrison-7f3a",
    region: "eu-central-1",
  };
  return {
    base,
    world,
    role: (id) => made.get(id)!,
    check: (request = {}, as = {}) =>
      checkChain(
        {
          prober: memoryProber(world),
          ...(as.operator === true ? { policyReader: memoryPolicyReader(world) } : {}),
        },
        { ...base, ...request },
        call,
      ),
  };
}

function failures(report: ChainReport) {
  return report.findings.filter(({ verdict }) => verdict === "failed");
}

function withoutAction(role: MemoryRole, action: string): void {
  role.identityPolicies = role.identityPolicies.map(({ name, policy }) => {
    const document = policy as PolicyText;
    const kept = document.Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((one) => one !== action),
    })).filter((statement) => statement.Action.length > 0);
    return { ...(name === undefined ? {} : { name }), policy: { ...document, Statement: kept } };
  });
}

function changeTrust(
  role: MemoryRole,
  change: (statement: PolicyStatement) => PolicyStatement | undefined,
): void {
  const trust = role.trust as PolicyText;
  role.trust = { ...trust, Statement: trust.Statement.flatMap((statement) => change(statement) ?? []) };
}

describe("a chain made of the exported documents", () => {
  for (const form of ["scoped", "compatible"] as const) {
    it(`passes for a backup with the worker in production (${form})`, async () => {
      const report = await stage({ form }).check();
      expect(failures(report)).toEqual([]);
      expect(report.verdict).toBe("passed");
    });

    it(`passes for a restore with the worker in production (${form})`, async () => {
      const restore = roleArn(production, "garrison-restore-ec2");
      const report = await stage({ form }).check({ roleArn: restore, operations: ["ec2.instance-restore"] });
      expect(report.verdict).toBe("passed");
    });
  }

  it("passes with the worker in the backup account, without rights to launch in production", async () => {
    const report = await stage({ withWorkersInProduction: false }).check({ placement: "backup" });
    expect(failures(report)).toEqual([]);
    expect(report.verdict).toBe("passed");
    expect(new Set(report.findings.map(({ subject }) => subject))).toEqual(
      new Set([
        backupRole,
        roleArn(backup, "garrison-worker-deployment"),
        roleArn(backup, "garrison-worker"),
      ]),
    );
  });

  it("passes for the worker role by itself and for the repository role", async () => {
    const { check } = stage({ bucket: "vault", bucketPrefix: "garrison" });
    expect((await check({ roleArn: workerRole })).verdict).toBe("passed");
    const repository = roleArn(backup, "garrison-repository");
    const report = await check({ roleArn: repository, bucket: "vault", bucketPrefix: "garrison" });
    expect(report.verdict).toBe("passed");
    expect((await check({ roleArn: repository, bucket: "other" })).verdict).toBe("failed");
  });

  it("passes inside its Regions and installation, and fails in another Region", async () => {
    const { check } = stage({ regions: ["eu-central-1"], installation: "7f3a09c1" });
    expect((await check({ installation: "7f3a09c1" })).verdict).toBe("passed");
    const elsewhere = await check({ installation: "7f3a09c1", region: "us-east-1" });
    expect(new Set(failures(elsewhere).map(({ link }) => link))).toEqual(new Set(["grants"]));
    const foreign = failures(await check({ installation: "00000000" }));
    expect(foreign.map(({ action }) => action)).toContain("ec2:RunInstances");
  });

  it("checks the repository's role with its own external ID", async () => {
    const { check, role } = stage({ bucket: "vault" });
    changeTrust(role("repository"), (statement) => ({
      ...statement,
      Condition: { ...statement.Condition, StringEquals: { "sts:ExternalId": "vault-1" } },
    }));
    const repositoryRoleArn = roleArn(backup, "garrison-repository");
    const request = { repositoryRoleArn, bucket: "vault", repositoryExternalId: "vault-1" };
    expect((await check(request)).verdict).toBe("passed");
    expect((await check({ ...request, repositoryExternalId: "vault-2" })).verdict).toBe("failed");
  });

  it("tells of conditions that the role's owner added, as something that a run says too", async () => {
    const { check, role } = stage();
    const Condition = { StringEquals: { "aws:SourceVpce": "vpce-1" } };
    const statement = { Effect: "Allow", Action: "cloudwatch:PutMetricData", Resource: "*", Condition };
    const policy = { Version: "2012-10-17", Statement: [statement] };
    role("backup-ec2").identityPolicies.push({ name: "owners-own", policy });
    const report = await check();
    expect(report.verdict).toBe("passed");
    expect(report.findings.filter(({ isNotice }) => isNotice === true)).toEqual([
      expect.objectContaining({
        subject: backupRole,
        sentence: `The IAM policies of ${backupRole} also test aws:SourceVpce; the check can't foresee what a call will carry there.`,
      }),
    ]);
  });

  it("says the same with an operator's read rights", async () => {
    const report = await stage().check({}, { operator: true });
    expect(report.verdict).toBe("passed");
    expect(report.findings.some(({ knownBy }) => knownBy.includes("evaluated"))).toBe(true);
  });
});

describe("a broken chain", () => {
  it("without instance profile", async () => {
    const { check, role } = stage();
    role("worker").profiles = [];
    const [failure, ...others] = failures(await check());
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ link: "instance-profile", subject: workerRole, knownBy: ["read"] });
    expect(failure?.sentence).toBe(
      `${workerRole} is in no instance profile, so no instance can be launched with it.`,
    );
  });

  it("with an instance profile of another name only: workers are launched with the role's own", async () => {
    const { check, role } = stage();
    role("worker").profiles = ["shared"];
    const found = failures(await check());
    expect(found.map(({ link }) => link)).toEqual(["instance-profile"]);
    expect(found[0]?.sentence).toContain("only in the instance profile shared");
  });

  it("with EC2 not trusted", async () => {
    const { check, role } = stage();
    changeTrust(role("worker"), (statement) =>
      statement.Sid === "GarrisonInstances" ? undefined : statement,
    );
    const [failure, ...others] = failures(await check());
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ link: "ec2-trust", subject: workerRole, action: "sts:AssumeRole" });
    expect(failure?.sentence).toContain("No statement in the trust policy");
    expect(failure?.fix).toMatchObject({ Principal: { Service: "ec2.amazonaws.com" } });
  });

  it("with the appliance not trusted by the worker role: read through the instance profile", async () => {
    const { check, role } = stage();
    changeTrust(role("worker"), (statement) =>
      statement.Sid === "GarrisonAppliance" ? undefined : statement,
    );
    const found = failures(await check());
    expect(found.map(({ link }) => link)).toEqual(["assume-role", "trust-policy"]);
    expect(found[1]?.knownBy).toEqual(["read in the instance profile"]);
    expect(found[1]?.sentence).toContain(
      `lets ${"arn:aws:sts::111111111111:assumed-role/garrison-appliance"}`,
    );
    expect(found[1]?.fix).toMatchObject({ Principal: { AWS: `arn:aws:iam::${backup}:root` } });
  });

  it("with the appliance not trusted by the launching role: the operator's rights tell the statement", async () => {
    const { check, role } = stage();
    changeTrust(role("backup-ec2"), (statement) => ({
      ...statement,
      Principal: { AWS: "arn:aws:iam::333333333333:root" },
    }));
    const alone = failures(await check());
    expect(alone[0]).toMatchObject({ link: "assume-role", subject: backupRole, knownBy: ["executed"] });
    expect(alone[0]?.sentence).toContain("STS does not say why");
    const explained = failures(await check({}, { operator: true }));
    expect(explained.map(({ link }) => link)).toEqual(["assume-role", "trust-policy"]);
    expect(explained[0]?.sentence).toContain("No statement in the trust policy");
  });

  it("with a wrong external ID: names the statement that asks for another one", async () => {
    const { check } = stage();
    const found = failures(await check({ externalId: "wrong" }, { operator: true }));
    expect(found.map(({ link }) => link)).toEqual([
      "assume-role",
      "trust-policy",
      "assume-role",
      "trust-policy",
    ]);
    expect(found[1]?.sentence).toContain("only with the external ID in its trust policy");
    expect(found[1]?.statement).toMatchObject({
      layer: "trust",
      sid: "GarrisonAppliance",
      accountId: production,
    });
  });

  it("with a role that asks for no external ID", async () => {
    const { check, role } = stage();
    changeTrust(role("backup-ec2"), (statement) => ({ ...statement, Condition: {} }));
    const [failure, ...others] = failures(await check());
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      link: "external-id-required",
      subject: backupRole,
      knownBy: ["executed"],
    });
  });

  it("with a trust that holds a deleted role's unique id", async () => {
    const { check, role } = stage();
    changeTrust(role("worker"), (statement) =>
      statement.Sid === "GarrisonAppliance"
        ? { ...statement, Principal: { AWS: "AROAEXAMPLE1234567890" } }
        : statement,
    );
    const found = failures(await check());
    expect(found[1]?.sentence).toContain("trusts a deleted role");
    expect(found[1]?.statement).toMatchObject({ sid: "GarrisonAppliance", statementIndex: 0 });
  });

  it("with PassRole missing", async () => {
    const { check, role } = stage();
    withoutAction(role("backup-ec2"), "iam:PassRole");
    const [failure, ...others] = failures(await check());
    expect(others).toEqual([]);
    expect(failure).toMatchObject({
      link: "pass-role",
      subject: backupRole,
      action: "iam:PassRole",
      resource: workerRole,
    });
    expect(failure?.fix).toMatchObject({
      Action: ["iam:PassRole"],
      Resource: [workerRole],
      Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    });
  });

  it("with the worker role in another account", async () => {
    const { check } = stage();
    const elsewhere = roleArn(backup, "garrison-worker");
    const found = failures(await check({ workerRoleArn: elsewhere }));
    const crossing = found.find(({ sentence }) => sentence.includes("is in another account"));
    expect(crossing).toMatchObject({ link: "pass-role", subject: backupRole, resource: elsewhere });
  });

  it("with an organisation policy that denies under a condition", async () => {
    const { check, world } = stage();
    const deny = {
      Version: "2012-10-17",
      Statement: [
        { Sid: "All", Effect: "Allow", Action: "*", Resource: "*" },
        {
          Sid: "OnlyFrankfurtOperators",
          Effect: "Deny",
          Action: "ec2:RunInstances",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": "eu-central-1" } },
        },
      ],
    };
    world.serviceControlPolicies.set(production, [
      { orgIdentifier: "ou-root-workloads", policies: [{ name: "p-guard", policy: deny }] },
    ]);
    const simulated = failures(await check());
    expect(simulated[0]).toMatchObject({
      link: "grants",
      action: "ec2:RunInstances",
      statement: { layer: "scp" },
    });
    expect(simulated[0]?.sentence).toContain("organisation policy (SCP)");
    const explained = failures(await check({}, { operator: true }));
    expect(explained[0]?.statement).toMatchObject({ layer: "scp", sid: "OnlyFrankfurtOperators" });
    expect(explained.every(({ action }) => action === "ec2:RunInstances")).toBe(true);
  });

  it("with a permissions boundary that is too narrow", async () => {
    const { check, role } = stage();
    const narrow = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", NotAction: "sqs:*", Resource: "*" }],
    };
    role("worker").permissionBoundaries = [{ name: "edge", policy: narrow }];
    const found = failures(await check());
    expect(new Set(found.map(({ action }) => action))).toEqual(
      new Set(["sqs:ListQueues", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]),
    );
    expect(found[0]?.sentence).toContain(`The permissions boundary of ${workerRole}`);
    expect(found[0]?.statement).toMatchObject({ layer: "boundary" });
  });

  it("with a role that is gone", async () => {
    const { check, world } = stage();
    world.roles.delete(backupRole);
    const found = failures(await check());
    expect(found[0]).toMatchObject({ link: "assume-role", subject: backupRole });
  });
});

describe("each action that the path uses", () => {
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
  for (const form of ["scoped", "compatible"] as const) {
    it.each(used)(`missing from the worker role is found by name: %s (${form})`, async (action) => {
      const { check, role } = stage({ form });
      withoutAction(role("worker"), action);
      const found = failures(await check()).filter((finding) => finding.action === action);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ link: "grants", subject: workerRole });
      expect(found[0]?.sentence).toContain(action);
      expect(found[0]?.fix).toMatchObject({ Effect: "Allow", Action: [action] });
    });
  }

  it.each(launchingActions())("missing from the backup role is found by name: %s", async (action) => {
    const { check, role } = stage();
    withoutAction(role("backup-ec2"), action);
    const report = await check();
    expect(report.verdict).toBe("failed");
    expect(new Set(failures(report).map((finding) => finding.action))).toEqual(new Set([action]));
  });

  it("that only the agent's contract lists may be missing: the report says so", async () => {
    const { check, role } = stage();
    withoutAction(role("worker"), "ec2messages:GetMessages");
    const report = await check();
    expect(report.verdict).toBe("passed");
    expect(
      report.findings.some(({ sentence }) => sentence.includes("does not hold ec2messages:GetMessages")),
    ).toBe(true);
  });
});

describe("what can't be known", () => {
  /** The memory prober with other answers from the simulator. */
  function checkWith(
    { base, world }: Pick<Stage, "base" | "world">,
    change: (decided: SimulatedDecision) => SimulatedDecision,
    operator = false,
  ): Promise<ChainReport> {
    const inner = memoryProber(world);
    const prober: Prober = {
      ...inner,
      assume: async (request, asked) => {
        const assumed = await inner.assume(request, asked);
        if (assumed.outcome !== "known") return assumed;
        const probe: RoleProbe = {
          ...assumed.value,
          simulate: async (simulation, signal) => {
            const answer = await assumed.value.simulate(simulation, signal);
            return answer.outcome === "known" ? { ...answer, value: answer.value.map(change) } : answer;
          },
        };
        return { outcome: "known", value: probe };
      },
    };
    return checkChain(
      { prober, ...(operator ? { policyReader: memoryPolicyReader(world) } : {}) },
      base,
      call,
    );
  }

  it("is unknown, not failed: a denial that hangs on context which only the call will have", async () => {
    const report = await checkWith(stage(), (decided) =>
      decided.action === "sqs:SendMessage"
        ? { ...decided, decision: "implicitDeny", missingContext: ["aws:SourceVpce"] }
        : decided,
    );
    expect(report.verdict).toBe("unknown");
    const open = report.findings.filter(({ verdict }) => verdict === "unknown");
    expect(open[0]?.sentence).toContain("depends on aws:SourceVpce");
  });

  it("is failed all the same when only our own keys are missing", async () => {
    const report = await checkWith(stage(), (decided) =>
      decided.action === "sqs:SendMessage"
        ? { ...decided, decision: "implicitDeny", missingContext: ["aws:ResourceTag/garrison:installation"] }
        : decided,
    );
    expect(report.verdict).toBe("failed");
  });

  it("is a finding of its own: the simulator and the policies disagree", async () => {
    const report = await checkWith(
      stage(),
      (decided) => (decided.action === "iam:PassRole" ? { ...decided, decision: "implicitDeny" } : decided),
      true,
    );
    const disagreement = report.findings.find(({ sentence }) => sentence.includes("disagree"));
    expect(disagreement).toMatchObject({
      link: "pass-role",
      verdict: "unknown",
      knownBy: ["simulated", "evaluated"],
    });
  });

  it("is everything, when nobody can ask", async () => {
    const { base, world } = stage();
    const prober: Prober = {
      ...memoryProber(world),
      callerIdentity: async () => ({ outcome: "unreachable", message: "no credentials" }),
    };
    expect((await checkChain({ prober }, base, call)).verdict).toBe("unknown");
  });
});

function launchingActions(): readonly string[] {
  const needed = findRole("backup-ec2").operations.flatMap(({ grants }) =>
    grants.filter(({ neededWhen }) => neededWhen === undefined),
  );
  return [...new Set(needed.flatMap(({ actions }) => actions))];
}
