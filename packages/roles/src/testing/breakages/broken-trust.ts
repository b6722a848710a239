import { addLevelPolicy, addToTrust, appended, changeTrust, policyOf, type Breakage } from "./breakage.ts";
import {
  applianceArn,
  backup,
  launchingArn,
  production,
  repositoryArn,
  workerArn,
  type WorkingStage,
} from "./working-stage.ts";

const untrusted = ["assume-role", "trust-policy"] as const;
const trust = { layer: "trust", policy: "trust policy", accountId: production } as const;
const assuming = { action: "sts:AssumeRole" } as const;

/** Links 1, 2 and the opposite test: who may become the role. */
const trustRows: readonly Breakage[] = [
  {
    name: "the launching role trusts another account",
    break: ({ role }) =>
      changeTrust(role("backup-ec2"), (one) => ({
        ...one,
        Principal: { AWS: "arn:aws:iam::333333333333:root" },
      })),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    statement: trust,
    sentence: `No statement in the trust policy of ${launchingArn} lets`,
    mendedBy: "role-owner",
  },
  {
    name: "the launching role trusts another role of the backup account",
    break: ({ role }) =>
      changeTrust(role("backup-ec2"), (one) => ({
        ...one,
        Condition: { ...one.Condition, ArnEquals: { "aws:PrincipalArn": `${applianceArn}-old` } },
      })),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    statement: trust,
    sentence: `No statement in the trust policy of ${launchingArn} lets`,
    mendedBy: "role-owner",
  },
  {
    name: "the launching role asks for another external ID",
    break: ({ role }) => askAnotherId(role("backup-ec2")),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    statement: { ...trust, sid: "GarrisonAppliance", statementIndex: 0 },
    sentence: "only with the external ID in its trust policy, and another one was given",
    mendedBy: "role-owner",
  },
  {
    name: "the launching role trusts a role that was deleted and made again",
    break: ({ role }) =>
      changeTrust(role("backup-ec2"), (one) => ({ ...one, Principal: { AWS: "AROAEXAMPLE1234567890" } })),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    statement: { ...trust, sid: "GarrisonAppliance", statementIndex: 0 },
    sentence: "trusts a deleted role",
    mendedBy: "role-owner",
  },
  {
    name: "a statement of the launching role's trust denies the appliance",
    break: ({ role }) =>
      addToTrust(role("backup-ec2"), {
        Sid: "NoRobots",
        Effect: "Deny",
        Principal: "*",
        Action: "sts:AssumeRole",
        Condition: { StringLike: { "aws:PrincipalArn": "*:role/garrison-*" } },
      }),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    statement: { ...trust, sid: "NoRobots", statementIndex: 1 },
    sentence: 'statement "NoRobots" of the trust policy denies it, because aws:PrincipalArn is',
    mendedBy: "role-owner",
  },
  {
    name: "the launching role's trust lets its account tag sessions, but not assume",
    break: ({ role }) => changeTrust(role("backup-ec2"), (one) => ({ ...one, Action: "sts:TagSession" })),
    links: untrusted,
    subject: launchingArn,
    ...assuming,
    sentence: `No statement in the trust policy of ${launchingArn} lets`,
    mendedBy: "role-owner",
  },
  {
    name: "the launching role asks for no external ID",
    break: ({ role }) =>
      changeTrust(role("backup-ec2"), (one) => ({
        ...one,
        Condition: { ArnEquals: { "aws:PrincipalArn": applianceArn } },
      })),
    links: ["external-id-required"],
    subject: launchingArn,
    ...assuming,
    statement: { ...trust, sid: "GarrisonAppliance", statementIndex: 0 },
    sentence: "can be assumed without an external ID",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role does not trust the appliance",
    break: ({ role }) =>
      changeTrust(role("worker"), (one) => (one.Sid === "GarrisonAppliance" ? undefined : one)),
    links: untrusted,
    subject: workerArn,
    ...assuming,
    sentence: `No statement in the trust policy of ${workerArn} lets`,
    mendedBy: "role-owner",
  },
  {
    name: "the worker role trusts a role that was deleted and made again",
    break: ({ role }) =>
      changeTrust(role("worker"), (one) =>
        one.Sid === "GarrisonAppliance" ? { ...one, Principal: { AWS: "AROAEXAMPLE1234567890" } } : one,
      ),
    links: untrusted,
    subject: workerArn,
    ...assuming,
    statement: { ...trust, sid: "GarrisonAppliance" },
    sentence: "trusts a deleted role",
    mendedBy: "role-owner",
  },
  {
    name: "the repository's role asks for another external ID",
    break: ({ role }) => askAnotherId(role("repository")),
    links: untrusted,
    subject: repositoryArn,
    ...assuming,
    statement: { layer: "trust", sid: "GarrisonAppliance", accountId: backup },
    sentence: "only with the external ID in its trust policy",
    mendedBy: "role-owner",
  },
  {
    name: "the launching role does not exist",
    break: ({ world }) => void world.roles.delete(launchingArn),
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    sentence: "the role may not exist",
    mendedBy: "nobody",
  },
  {
    name: "the launching role is in another partition",
    break: () => ({ roleArn: launchingArn.replace("arn:aws:", "arn:aws-cn:"), workerRoleArn: workerArn }),
    links: ["assume-role"],
    subject: launchingArn.replace("arn:aws:", "arn:aws-cn:"),
    ...assuming,
    sentence: "no role can be assumed from one partition into another",
    mendedBy: "nobody",
  },
  {
    name: "the launching role's trust was mended a moment ago, and IAM is still spreading it",
    break: ({ role }) => {
      const { identityPolicies } = role("backup-ec2");
      const closed = {
        Effect: "Allow",
        Principal: { AWS: "333333333333" },
        Action: "sts:AssumeRole",
      } as const;
      role("backup-ec2").before = { trust: policyOf(closed), identityPolicies };
    },
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    sentence: "IAM is still spreading the change: check again",
    mendedBy: "nobody",
  },
];

/** The appliance's own side of link 1. */
const callerRows: readonly Breakage[] = [
  {
    name: "the appliance may assume roles of other names only",
    break: ({ role }) => {
      role("appliance").identityPolicies = role("appliance").identityPolicies.map((named) => ({
        ...named,
        policy: JSON.parse(
          JSON.stringify(named.policy).replaceAll("role/garrison-backup-ec2", "role/other"),
        ) as object,
      }));
    },
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: { layer: "identity", accountId: backup },
    sentence: `may not sts:AssumeRole on ${launchingArn}: no IAM policy of the caller allows it`,
    mendedBy: "other",
  },
  {
    name: "an IAM policy of the appliance denies assuming roles in other accounts",
    break: ({ role }) =>
      void role("appliance").identityPolicies.push({
        name: `arn:aws:iam::${backup}:policy/stay-home`,
        policy: policyOf({
          Sid: "StayHome",
          Effect: "Deny",
          Action: "sts:AssumeRole",
          NotResource: `arn:aws:iam::${backup}:role/*`,
        }),
      }),
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: {
      layer: "identity",
      policy: `arn:aws:iam::${backup}:policy/stay-home`,
      sid: "StayHome",
      accountId: backup,
    },
    sentence: 'statement "StayHome" of the IAM policy',
    mendedBy: "other",
  },
  {
    name: "the appliance's permissions boundary leaves STS out",
    break: ({ role }) => {
      role("appliance").permissionBoundaries = [
        {
          name: `arn:aws:iam::${backup}:policy/edge`,
          policy: policyOf({ Effect: "Allow", NotAction: "sts:*", Resource: "*" }),
        },
      ];
    },
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: { layer: "boundary", accountId: backup },
    sentence: "the permissions boundary does not allow it",
    mendedBy: "other",
  },
  {
    name: "the appliance runs under a session policy that leaves STS out",
    break: ({ world }) => {
      world.callerSessionPolicy = policyOf({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    },
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: { layer: "session" },
    sentence: "a session policy of the appliance's present credentials",
    mendedBy: "nobody",
  },
  {
    name: "an SCP at the root denies the backup account's roles to assume others",
    break: ({ world }) =>
      addLevelPolicy(world, "serviceControlPolicies", {
        account: backup,
        level: "r-root",
        statement: {
          Sid: "NoCrossing",
          Effect: "Deny",
          Action: "sts:AssumeRole",
          Resource: `arn:aws:iam::${production}:role/*`,
        },
      }),
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: { layer: "scp", sid: "NoCrossing", attachedTo: "r-root", policy: "guard (p-guard)" },
    sentence: 'statement "NoCrossing" of the service control policy "guard (p-guard)" at r-root denies it',
    mendedBy: "other",
  },
  {
    name: "an RCP of the production account denies its roles to other accounts",
    break: ({ world }) =>
      addLevelPolicy(world, "resourceControlPolicies", {
        account: production,
        level: "ou-root-workloads",
        statement: {
          Sid: "OwnAccountOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "sts:AssumeRole",
          Resource: "*",
          Condition: {
            StringNotEquals: { "aws:PrincipalAccount": production },
            BoolIfExists: { "aws:PrincipalIsAWSService": "false" },
          },
        },
      }),
    links: ["assume-role"],
    subject: launchingArn,
    ...assuming,
    statement: { layer: "rcp", sid: "OwnAccountOnly", attachedTo: "ou-root-workloads" },
    sentence:
      'statement "OwnAccountOnly" of the resource control policy "guard (p-guard)" at ou-root-workloads',
    mendedBy: "other",
  },
];

/** Links 3 and 4: what EC2 needs of the worker role. */
const ec2Rows: readonly Breakage[] = [
  {
    name: "the worker role is in no instance profile",
    break: ({ role }) => void (role("worker").profiles = []),
    links: ["instance-profile"],
    subject: workerArn,
    sentence: "is in no instance profile, so no instance can be launched with it",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role is in an instance profile of another name",
    break: ({ role }) => void (role("worker").profiles = ["shared"]),
    links: ["instance-profile"],
    subject: workerArn,
    sentence: "only in the instance profile shared",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role does not trust EC2",
    break: ({ role }) =>
      changeTrust(role("worker"), (one) => (one.Sid === "GarrisonInstances" ? undefined : one)),
    links: ["ec2-trust"],
    subject: workerArn,
    ...assuming,
    statement: trust,
    sentence: "lets ec2.amazonaws.com assume it",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role trusts EC2 of another partition",
    break: ({ role }) => trustService(role("worker"), "ec2.amazonaws.com.cn"),
    links: ["ec2-trust"],
    subject: workerArn,
    ...assuming,
    statement: trust,
    sentence: "lets ec2.amazonaws.com assume it",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role trusts another service",
    break: ({ role }) => trustService(role("worker"), "ecs-tasks.amazonaws.com"),
    links: ["ec2-trust"],
    subject: workerArn,
    ...assuming,
    statement: trust,
    sentence: "lets ec2.amazonaws.com assume it",
    mendedBy: "role-owner",
  },
  {
    name: "a statement of the worker role's trust denies EC2",
    break: ({ role }) => {
      const denial = { Sid: "NoInstances", Effect: "Deny", Action: "sts:AssumeRole" } as const;
      role("worker").trust = appended(role("worker").trust, {
        ...denial,
        Principal: { Service: "ec2.amazonaws.com" },
      });
    },
    links: ["ec2-trust"],
    subject: workerArn,
    ...assuming,
    statement: { ...trust, sid: "NoInstances", statementIndex: 2 },
    sentence: 'statement "NoInstances" of the trust policy denies it',
    mendedBy: "role-owner",
  },
];

export const brokenTrust: readonly Breakage[] = [...trustRows, ...callerRows, ...ec2Rows];

type Role = ReturnType<WorkingStage["role"]>;

function askAnotherId(role: Role): void {
  changeTrust(role, (one) => ({
    ...one,
    Condition: { ...one.Condition, StringEquals: { "sts:ExternalId": "another" } },
  }));
}

function trustService(role: Role, service: string): void {
  changeTrust(role, (one) =>
    one.Sid === "GarrisonInstances" ? { ...one, Principal: { Service: service } } : one,
  );
}
