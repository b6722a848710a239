import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetContextKeysForPrincipalPolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListInstanceProfilesForRoleCommand,
  ListRolesCommand,
  paginateListRoles,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";

const production = "222222222222";
const backup = "111111111111";
let lab: RunningLab;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-"));
  lab = await startLab({ dataDir, seed: "demo" });
});
afterAll(async () => {
  await lab.stop();
  await rm(dataDir, { recursive: true });
});

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const settings = (credentials: Keys) => ({
  region: "eu-central-1",
  endpoint: lab.endpoint,
  credentials,
  maxAttempts: 1,
});
const iamOf = (credentials: Keys) => new IAMClient(settings(credentials));
const stsOf = (credentials: Keys) => new STSClient(settings(credentials));

const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const trust = (principal: object, condition?: object) =>
  policy({
    Effect: "Allow",
    Principal: principal,
    Action: "sts:AssumeRole",
    ...(condition === undefined ? {} : { Condition: condition }),
  });

async function makeRole(RoleName: string, AssumeRolePolicyDocument: string, document?: string) {
  const iam = iamOf(lab.operators[production]!);
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  if (document !== undefined)
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "own", PolicyDocument: document }));
  return Role!;
}

async function assume(
  RoleArn: string,
  more: { ExternalId?: string; Policy?: string; DurationSeconds?: number } = {},
  by = lab.operators[backup]!,
) {
  const { Credentials } = await stsOf(by).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "test-session", ...more }),
  );
  return {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
  };
}

describe("assuming a role", () => {
  test("needs the external id that the trust policy asks for", async () => {
    const document = trust(
      { AWS: `arn:aws:iam::${backup}:root` },
      { StringEquals: { "sts:ExternalId": "right-one" } },
    );
    const role = await makeRole("external", document);
    await expect(assume(role.Arn!)).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume(role.Arn!, { ExternalId: "wrong-one" })).rejects.toThrow(
      /not authorized to perform: sts:AssumeRole/,
    );
    const session = await assume(role.Arn!, { ExternalId: "right-one" });
    const identity = await stsOf(session).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${production}:assumed-role/external/test-session`);
    expect(identity.UserId).toBe(`${role.RoleId}:test-session`);
  });

  test("gives no more than the session policy lends", async () => {
    const role = await makeRole(
      "lender",
      trust({ AWS: `arn:aws:iam::${backup}:root` }),
      policy({ Effect: "Allow", Action: "iam:*", Resource: "*" }),
    );
    const lent = policy({ Effect: "Allow", Action: "iam:GetRole", Resource: role.Arn });
    const session = await assume(role.Arn!, { Policy: lent });
    await iamOf(session).send(new GetRoleCommand({ RoleName: "lender" }));
    await expect(iamOf(session).send(new ListRolesCommand({}))).rejects.toThrow(
      `User: arn:aws:sts::${production}:assumed-role/lender/test-session is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::${production}:role/* because no session policy allows the iam:ListRoles action`,
    );
  });

  test("from a session lasts an hour at most", async () => {
    const first = await makeRole(
      "chain-1",
      trust({ AWS: backup }),
      policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }),
    );
    const second = await makeRole("chain-2", trust({ AWS: first.Arn }));
    const session = await assume(first.Arn!);
    await expect(assume(second.Arn!, { DurationSeconds: 3601 }, session)).rejects.toThrow(/role chaining/);
    await assume(second.Arn!, { DurationSeconds: 3600 }, session);
  });

  test("breaks when the role that the trust names is made anew, and shows the dead one by its id", async () => {
    const iam = iamOf(lab.operators[production]!);
    const named = await makeRole(
      "named",
      trust({ AWS: backup }),
      policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }),
    );
    const target = await makeRole("target", trust({ AWS: named.Arn }));
    await assume(target.Arn!, {}, await assume(named.Arn!));
    await iam.send(new DeleteRolePolicyCommand({ RoleName: "named", PolicyName: "own" }));
    await iam.send(new DeleteRoleCommand({ RoleName: "named" }));
    await makeRole(
      "named",
      trust({ AWS: backup }),
      policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }),
    );
    await expect(assume(target.Arn!, {}, await assume(named.Arn!))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: "target" }));
    expect(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).toContain(named.RoleId);
  });

  test("is refused for a session policy that is too long", async () => {
    const role = await makeRole("long", trust({ AWS: backup }));
    const long = policy({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${"x".repeat(2048)}`,
    });
    await expect(assume(role.Arn!, { Policy: long })).rejects.toMatchObject({ name: "ValidationError" });
  });
});

describe("what limits a role", () => {
  test("a permissions boundary", async () => {
    const role = await makeRole(
      "bounded",
      trust({ AWS: backup }),
      policy({ Effect: "Allow", Action: "iam:*", Resource: "*" }),
    );
    const iam = iamOf(lab.operators[production]!);
    const boundary = await iam.send(
      new CreatePolicyCommand({
        PolicyName: "edge",
        PolicyDocument: policy({ Effect: "Allow", Action: "iam:List*", Resource: "*" }),
      }),
    );
    await iam.send(
      new PutRolePermissionsBoundaryCommand({
        RoleName: "bounded",
        PermissionsBoundary: boundary.Policy!.Arn!,
      }),
    );
    const session = await assume(role.Arn!);
    await iamOf(session).send(new ListRolesCommand({}));
    await expect(iamOf(session).send(new GetRoleCommand({ RoleName: "bounded" }))).rejects.toThrow(
      /because no permissions boundary allows the iam:GetRole action/,
    );
  });

  test("an SCP with a condition, also for the account's administrator but not in the management account", async () => {
    lab.lab.organization.policies.put("p-norename", {
      id: "p-norename",
      name: "no-tags",
      description: "",
      type: "SERVICE_CONTROL_POLICY",
      content: policy({
        Effect: "Deny",
        Action: "iam:GetAccountSummary",
        Resource: "*",
        Condition: { StringLike: { "aws:PrincipalArn": "*:user/operator" } },
      }),
      awsManaged: false,
      targets: ["r-root"],
    });
    const { GetAccountSummaryCommand } = await import("@aws-sdk/client-iam");
    await expect(iamOf(lab.operators[production]!).send(new GetAccountSummaryCommand({}))).rejects.toThrow(
      /with an explicit deny in a service control policy/,
    );
    await iamOf(lab.operators["999999999999"]!).send(new GetAccountSummaryCommand({}));
    lab.lab.organization.policies.delete("p-norename");
  });
});

describe("IAM refuses", () => {
  test("documents that are no policies", async () => {
    await expect(makeRole("bad-1", "{")).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
    await expect(makeRole("bad-2", trust({ AWS: "arn:aws:iam::222222222222:role/nobody" }))).rejects.toThrow(
      /Invalid principal in policy/,
    );
    await expect(
      makeRole("bad-3", policy({ Effect: "Allow", Principal: { AWS: backup }, Action: "s3:GetObject" })),
    ).rejects.toThrow(/STS AssumeRole/);
  });

  test("inline policies over the role's quota, white space not counted", async () => {
    await makeRole("full", trust({ AWS: backup }));
    const iam = iamOf(lab.operators[production]!);
    const sized = (length: number) =>
      policy({ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${"x".repeat(length)}` });
    const put = (PolicyName: string, document: string) =>
      iam.send(new PutRolePolicyCommand({ RoleName: "full", PolicyName, PolicyDocument: document }));
    await put("one", sized(9000).replaceAll(",", ",\n        "));
    await expect(put("two", sized(2000))).rejects.toMatchObject({ name: "LimitExceededException" });
  });

  test("unknown parameters and operations it doesn't have, by name", async () => {
    const { CreateGroupCommand } = await import("@aws-sdk/client-iam");
    await expect(
      iamOf(lab.operators[production]!).send(new CreateGroupCommand({ GroupName: "g" })),
    ).rejects.toThrow(/iam:CreateGroup/);
  });
});

test("instance profiles hold one role and are listed for it", async () => {
  const iam = iamOf(lab.operators[production]!);
  await makeRole("worker", trust({ Service: "ec2.amazonaws.com" }));
  expect(
    (await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: "worker" }))).InstanceProfiles,
  ).toEqual([]);
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "worker" }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "worker", RoleName: "worker" }));
  const { InstanceProfiles } = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: "worker" }));
  expect(InstanceProfiles!.map((profile) => profile.Arn)).toEqual([
    `arn:aws:iam::${production}:instance-profile/worker`,
  ]);
  await expect(
    iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "worker", RoleName: "worker" })),
  ).rejects.toMatchObject({
    name: "LimitExceededException",
  });
});

test("a changed trust policy is in force at once", async () => {
  const role = await makeRole("mended", trust({ Service: "ec2.amazonaws.com" }));
  await expect(assume(role.Arn!)).rejects.toMatchObject({ name: "AccessDenied" });
  const document = trust({ AWS: backup });
  await iamOf(lab.operators[production]!).send(
    new UpdateAssumeRolePolicyCommand({ RoleName: "mended", PolicyDocument: document }),
  );
  await assume(role.Arn!);
});

test("lists are paged", async () => {
  const iam = iamOf(lab.operators[production]!);
  const names: string[] = [];
  for await (const page of paginateListRoles({ client: iam, pageSize: 2 }, {}))
    names.push(...page.Roles!.map((role) => role.RoleName!));
  const { Roles } = await iam.send(new ListRolesCommand({}));
  expect(names).toEqual(Roles!.map((role) => role.RoleName));
  expect(names.length).toBeGreaterThan(3);
});

describe("the simulator", () => {
  const self = policy(
    {
      Sid: "Talk",
      Effect: "Allow",
      Action: ["sqs:SendMessage", "ssm:UpdateInstanceInformation"],
      Resource: "*",
    },
    {
      Effect: "Allow",
      Action: ["iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy"],
      Resource: `arn:aws:iam::${production}:role/simulated`,
    },
    {
      Effect: "Allow",
      Action: "ec2:DeleteSnapshot",
      Resource: "*",
      Condition: { StringEquals: { "aws:ResourceTag/garrison:installation": "abc" } },
    },
  );

  const inRegion = [
    {
      ContextKeyName: "aws:RequestedRegion",
      ContextKeyValues: ["eu-central-1"],
      ContextKeyType: "string" as const,
    },
  ];

  test("lets a role ask about itself", async () => {
    const role = await makeRole("simulated", trust({ AWS: backup }), self);
    const iam = iamOf(await assume(role.Arn!));
    const { ContextKeyNames } = await iam.send(
      new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn: role.Arn }),
    );
    expect(ContextKeyNames).toEqual(["aws:ResourceTag/garrison:installation"]);
    const { EvaluationResults } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: role.Arn,
        ActionNames: ["sqs:SendMessage", "sqs:DeleteQueue", "ec2:DeleteSnapshot"],
        ContextEntries: inRegion,
      }),
    );
    expect(EvaluationResults!.map((result) => [result.EvalActionName, result.EvalDecision])).toEqual([
      ["sqs:SendMessage", "allowed"],
      ["sqs:DeleteQueue", "implicitDeny"],
      ["ec2:DeleteSnapshot", "implicitDeny"],
    ]);
    expect(EvaluationResults![0]!.MatchedStatements![0]!.SourcePolicyId).toBe("role_simulated_own");
    expect(EvaluationResults![2]!.MissingContextValues).toEqual(["aws:ResourceTag/garrison:installation"]);
    expect(EvaluationResults![0]!.OrganizationsDecisionDetail).toEqual({ AllowedByOrganizations: true });
  });

  test("answers for each resource, and sees the conditions of SCPs", async () => {
    const role = `arn:aws:iam::${production}:role/simulated`;
    const iam = iamOf(lab.operators[production]!);
    const ask = (region: string) =>
      iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: role,
          ActionNames: ["ec2:DeleteSnapshot"],
          ResourceArns: ["arn:aws:ec2:eu-central-1::snapshot/snap-1"],
          ContextEntries: [
            {
              ContextKeyName: "aws:ResourceTag/garrison:installation",
              ContextKeyValues: ["abc"],
              ContextKeyType: "string",
            },
            { ContextKeyName: "aws:RequestedRegion", ContextKeyValues: [region], ContextKeyType: "string" },
          ],
        }),
      );
    const [here] = (await ask("eu-central-1")).EvaluationResults!;
    expect(here!.EvalResourceName).toBe("arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}");
    expect(here!.ResourceSpecificResults).toMatchObject([
      { EvalResourceName: "arn:aws:ec2:eu-central-1::snapshot/snap-1", EvalResourceDecision: "allowed" },
    ]);
    const [there] = (await ask("us-east-1")).EvaluationResults!;
    expect(there).toMatchObject({
      EvalDecision: "explicitDeny",
      MatchedStatements: [],
      OrganizationsDecisionDetail: { AllowedByOrganizations: false },
    });
  });

  test("pages, and needs the right on the role that is asked about", async () => {
    const role = await makeRole("nosy", trust({ AWS: backup }), self);
    const iam = iamOf(await assume(role.Arn!));
    const simulated = `arn:aws:iam::${production}:role/simulated`;
    const first = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: simulated,
        ActionNames: ["sqs:SendMessage", "sqs:DeleteQueue"],
        MaxItems: 1,
      }),
    );
    expect(first).toMatchObject({ IsTruncated: true });
    expect(first.EvaluationResults).toHaveLength(1);
    await expect(
      iam.send(
        new SimulatePrincipalPolicyCommand({ PolicySourceArn: role.Arn, ActionNames: ["sqs:SendMessage"] }),
      ),
    ).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

test("AWS's own policies can be attached", async () => {
  await makeRole("core", trust({ Service: "ec2.amazonaws.com" }));
  const iam = iamOf(lab.operators[production]!);
  await iam.send(
    new AttachRolePolicyCommand({
      RoleName: "core",
      PolicyArn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    }),
  );
  await expect(iam.send(new DeleteRoleCommand({ RoleName: "core" }))).rejects.toMatchObject({
    name: "DeleteConflictException",
  });
});
