import type { StatementDocument } from "@garrison/iam/policy-document";
import type { MemoryWorld } from "../memory-world.ts";
import { addLevelPolicy, appended, policyOf, type Breakage } from "./breakage.ts";
import {
  bucketArn,
  keyArn,
  launchingArn,
  organizationPath,
  production,
  repositoryArn,
  subnetId,
  workerArn,
} from "./working-stage.ts";

const sending = { links: ["grants"], subject: workerArn, action: "sqs:SendMessage" } as const;
const launching = { links: ["grants"], subject: launchingArn, action: "ec2:RunInstances" } as const;
const edge = `arn:aws:iam::${production}:policy/edge`;

/** The role's own side: a deny in its policies, a boundary. */
const ownRows: readonly Breakage[] = [
  {
    name: "an inline policy of the worker role denies sending messages",
    break: ({ role }) =>
      void role("worker").identityPolicies.push({
        name: "hardening",
        policy: policyOf({ Sid: "NoMessages", Effect: "Deny", Action: "sqs:Send*", Resource: "*" }),
      }),
    ...sending,
    statement: { layer: "identity", policy: "hardening", sid: "NoMessages", accountId: production },
    sentence: 'statement "NoMessages" of the IAM policy "hardening" denies it',
    mendedBy: "other",
  },
  {
    name: "an attached policy of the launching role denies launches outside a Region",
    break: ({ role }) =>
      void role("backup-ec2").identityPolicies.push({
        name: `arn:aws:iam::${production}:policy/regions`,
        policy: policyOf({
          Sid: "OnlyIreland",
          Effect: "Deny",
          Action: "ec2:RunInstances",
          Resource: "*",
          Condition: { StringNotEquals: { "aws:RequestedRegion": "eu-west-1" } },
        }),
      }),
    ...launching,
    statement: {
      layer: "identity",
      policy: `arn:aws:iam::${production}:policy/regions`,
      sid: "OnlyIreland",
      statementIndex: 0,
    },
    sentence: 'because aws:RequestedRegion is "eu-central-1"',
    mendedBy: "other",
  },
  {
    name: "the permissions boundary of the worker role leaves SQS out",
    break: ({ role }) => {
      role("worker").permissionBoundaries = [
        { name: edge, policy: policyOf({ Effect: "Allow", NotAction: "sqs:SendMessage", Resource: "*" }) },
      ];
    },
    ...sending,
    statement: { layer: "boundary", policy: edge, accountId: production },
    sentence: "the permissions boundary does not allow it; it is needed to talk with the appliance",
    mendedBy: "other",
  },
  {
    name: "the permissions boundary of the worker role denies SQS",
    break: ({ role }) => {
      const all = { Effect: "Allow", Action: "*", Resource: "*" } as const;
      const denial = { Sid: "NoQueues", Effect: "Deny", Action: "sqs:SendMessage", Resource: "*" } as const;
      role("worker").permissionBoundaries = [{ name: edge, policy: policyOf(all, denial) }];
    },
    ...sending,
    statement: { layer: "boundary", policy: edge, sid: "NoQueues", statementIndex: 1 },
    sentence: `statement "NoQueues" of the permissions boundary "${edge}" denies it`,
    mendedBy: "other",
  },
];

const noLaunch = { Sid: "NoLaunch", Effect: "Deny", Action: "ec2:RunInstances", Resource: "*" } as const;

function scpRow(level: string, words: string): Breakage {
  return {
    name: `an SCP at the ${words} denies launches`,
    break: ({ world }) =>
      addLevelPolicy(world, "serviceControlPolicies", { account: production, level, statement: noLaunch }),
    ...launching,
    statement: { layer: "scp", policy: "guard (p-guard)", sid: "NoLaunch", attachedTo: level },
    sentence: `statement "NoLaunch" of the service control policy "guard (p-guard)" at ${level} denies it`,
    mendedBy: "other",
  };
}

/** The organisation's side. */
const organizationRows: readonly Breakage[] = [
  scpRow(organizationPath[0], "root"),
  scpRow(organizationPath[1], "organisational unit"),
  scpRow(organizationPath[2], "account"),
  {
    name: "an SCP denies launches in the Region under a condition",
    break: ({ world }) =>
      addLevelPolicy(world, "serviceControlPolicies", {
        account: production,
        level: "ou-root-workloads",
        statement: {
          ...noLaunch,
          Condition: { StringEquals: { "aws:RequestedRegion": "eu-central-1" } },
        },
      }),
    ...launching,
    statement: { layer: "scp", sid: "NoLaunch", attachedTo: "ou-root-workloads" },
    sentence: 'because aws:RequestedRegion is "eu-central-1"',
    mendedBy: "other",
  },
  {
    name: "the organisational unit's SCPs allow a list of services that EBS is not in",
    break: ({ world }) =>
      closeLevel(
        world,
        "ou-root-workloads",
        policyOf({ Sid: "Services", Effect: "Allow", NotAction: "ebs:*", Resource: "*" }),
      ),
    links: ["grants"],
    subject: launchingArn,
    action: "ebs:GetSnapshotBlock",
    statement: { layer: "scp", attachedTo: "ou-root-workloads" },
    sentence: "no service control policy at ou-root-workloads allows it",
    mendedBy: "other",
  },
  rcpRow("r-root", "root"),
  rcpRow(production, "account"),
];

function rcpRow(level: string, words: string): Breakage {
  return {
    name: `an RCP at the ${words} denies sending to queues`,
    break: ({ world }) =>
      addLevelPolicy(world, "resourceControlPolicies", {
        account: production,
        level,
        statement: {
          Sid: "QueuesForPlatformOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "sqs:SendMessage",
          Resource: "*",
          Condition: { ArnNotEquals: { "aws:PrincipalArn": `arn:aws:iam::${production}:role/platform` } },
        },
      }),
    ...sending,
    subject: launchingArn,
    statement: { layer: "rcp", sid: "QueuesForPlatformOnly", attachedTo: level },
    sentence: `statement "QueuesForPlatformOnly" of the resource control policy "guard (p-guard)" at ${level}`,
    mendedBy: "other",
    isUnseenBySimulator: true,
  };
}

/** On the way and at the other end: none of it is seen by AWS's simulator. */
const remoteRows: readonly Breakage[] = [
  {
    name: "the VPC endpoint for SQS lets nothing of ours through",
    break: ({ world }) =>
      setEndpoint(world, "sqs", {
        Effect: "Allow",
        Principal: "*",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ListQueues"],
        Resource: "*",
      }),
    ...sending,
    statement: { layer: "vpc-endpoint" },
    sentence: "the VPC endpoint policy does not allow it",
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the VPC endpoint for SQS lets other queues through only",
    break: ({ world }) =>
      setEndpoint(world, "sqs", {
        Sid: "OurQueues",
        Effect: "Allow",
        Principal: "*",
        Action: "sqs:*",
        Resource: [`arn:aws:sqs:*:${production}:orders`, `arn:aws:sqs:*:${production}:*-in`, "*:list"],
      }),
    links: ["grants"],
    subject: workerArn,
    action: "sqs:ListQueues",
    statement: { layer: "vpc-endpoint", policy: "vpce-sqs", sid: "OurQueues" },
    sentence: 'statement "OurQueues" of the VPC endpoint policy "vpce-sqs" does, but only on',
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the VPC endpoint for Systems Manager denies registering",
    break: ({ world }) => {
      const endpoints = world.endpointPolicies.get(subnetId) ?? {};
      const policy = appended(endpoints["ssm"]?.policy ?? {}, {
        Sid: "NoFleet",
        Effect: "Deny",
        Principal: "*",
        Action: "ssm:UpdateInstanceInformation",
        Resource: "*",
      });
      world.endpointPolicies.set(subnetId, { ...endpoints, ssm: { name: "vpce-ssm", policy } });
    },
    links: ["grants"],
    subject: workerArn,
    action: "ssm:UpdateInstanceInformation",
    statement: { layer: "vpc-endpoint", policy: "vpce-ssm", sid: "NoFleet", statementIndex: 1 },
    sentence: 'statement "NoFleet" of the VPC endpoint policy "vpce-ssm" denies it',
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the repository's key is open to another role only",
    break: ({ world }) =>
      void world.resourcePolicies.set(
        keyArn,
        policyOf({
          Sid: "Administrator",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::111111111111:role/keys" },
          Action: "kms:*",
          Resource: "*",
        }),
      ),
    links: ["grants"],
    subject: repositoryArn,
    action: "kms:Decrypt",
    statement: { layer: "resource", sid: "Administrator", accountId: "111111111111" },
    sentence: "the key policy in account 111111111111 does not allow it",
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the repository's key policy denies decryption to roles that are not on its list",
    break: ({ world }) =>
      addResourceStatement(world, keyArn, {
        Sid: "OnlyListed",
        Effect: "Deny",
        Principal: "*",
        Action: "kms:Decrypt",
        Resource: "*",
        Condition: { ArnNotEquals: { "aws:PrincipalArn": ["arn:aws:iam::111111111111:role/keys"] } },
      }),
    links: ["grants"],
    subject: repositoryArn,
    action: "kms:Decrypt",
    statement: { layer: "resource", sid: "OnlyListed", statementIndex: 1 },
    sentence: 'statement "OnlyListed" of the key policy denies it, because aws:PrincipalArn is',
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the bucket's policy denies writing",
    break: ({ world }) =>
      addResourceStatement(world, bucketArn, {
        Sid: "ReadOnly",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:PutObject",
        Resource: `${bucketArn}/*`,
      }),
    links: ["grants"],
    subject: repositoryArn,
    action: "s3:PutObject",
    statement: { layer: "resource", sid: "ReadOnly", statementIndex: 0 },
    sentence: 'statement "ReadOnly" of the resource policy denies it',
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
  {
    name: "the bucket's policy denies listing to all but one role",
    break: ({ world }) =>
      addResourceStatement(world, bucketArn, {
        Sid: "OneReader",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:ListBucket",
        Resource: bucketArn,
        Condition: { StringNotLike: { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/reader" } },
      }),
    links: ["grants"],
    subject: repositoryArn,
    action: "s3:ListBucket",
    statement: { layer: "resource", sid: "OneReader" },
    sentence: 'statement "OneReader" of the resource policy denies it, because aws:PrincipalArn is',
    mendedBy: "other",
    isUnseenBySimulator: true,
  },
];

export const brokenLayers: readonly Breakage[] = [...ownRows, ...organizationRows, ...remoteRows];

function closeLevel(world: MemoryWorld, level: string, policy: object): void {
  const levels = world.serviceControlPolicies.get(production) ?? [];
  world.serviceControlPolicies.set(
    production,
    levels.map((one) =>
      one.orgIdentifier === level ? { ...one, policies: [{ name: "services (p-services)", policy }] } : one,
    ),
  );
}

function setEndpoint(world: MemoryWorld, service: string, statement: StatementDocument): void {
  const endpoints = world.endpointPolicies.get(subnetId) ?? {};
  const named = { name: `vpce-${service}`, policy: policyOf(statement) };
  world.endpointPolicies.set(subnetId, { ...endpoints, [service]: named });
}

function addResourceStatement(world: MemoryWorld, arn: string, statement: StatementDocument): void {
  world.resourcePolicies.set(arn, appended(world.resourcePolicies.get(arn) ?? policyOf(), statement));
}
