import { exportRole } from "../../export-role.ts";
import { findRole } from "../../role-catalogue.ts";
import type { RoleId } from "../../role-definition.ts";
import { addLevelPolicy, changePolicies, policyOf, withoutAction, type Breakage } from "./breakage.ts";
import {
  backup,
  keyArn,
  launchingArn,
  production,
  repositoryArn,
  workerArn,
  workingStage,
} from "./working-stage.ts";

const launching = { layer: "identity", policy: "garrison-worker-launch", accountId: production } as const;
const passing = { links: ["pass-role"], subject: launchingArn, action: "iam:PassRole" } as const;

/** Link 5: the launching role hands the worker role to EC2. */
const passRows: readonly Breakage[] = [
  {
    name: "the launching role may not pass the worker role",
    break: ({ role }) => withoutAction(role("backup-ec2"), "iam:PassRole"),
    ...passing,
    statement: launching,
    sentence: `allows iam:PassRole on ${workerArn}, needed to launch the worker`,
    mendedBy: "role-owner",
  },
  {
    name: "the launching role may pass another role only",
    break: ({ role }) =>
      changePolicies(role("backup-ec2"), (one) =>
        passes(one.Action) ? { ...one, Resource: [`${workerArn}-old`] } : one,
      ),
    ...passing,
    statement: { layer: "identity", sid: "WorkerPassRole" },
    sentence: `statement "WorkerPassRole" of the IAM policy "garrison-worker-launch" does, but only on "${workerArn}-old"`,
    mendedBy: "role-owner",
  },
  {
    name: "the launching role may pass the worker role to another service only",
    break: ({ role }) =>
      changePolicies(role("backup-ec2"), (one) =>
        passes(one.Action)
          ? { ...one, Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } } }
          : one,
      ),
    ...passing,
    statement: { layer: "identity", sid: "WorkerPassRole" },
    sentence:
      'wants iam:PassedToService to be "lambda.amazonaws.com" (StringEquals) but it is "ec2.amazonaws.com"',
    mendedBy: "role-owner",
  },
  {
    name: "a managed policy denies the launching role to pass roles",
    break: ({ role }) =>
      void role("backup-ec2").identityPolicies.push({
        name: `arn:aws:iam::${production}:policy/no-passing`,
        policy: policyOf({ Sid: "NoPassing", Effect: "Deny", Action: "iam:Pass*", Resource: "*" }),
      }),
    ...passing,
    statement: {
      layer: "identity",
      policy: `arn:aws:iam::${production}:policy/no-passing`,
      sid: "NoPassing",
      statementIndex: 0,
      accountId: production,
    },
    sentence: 'statement "NoPassing" of the IAM policy',
    mendedBy: "other",
  },
  {
    name: "the permissions boundary of the launching role leaves PassRole out",
    break: ({ role }) => {
      role("backup-ec2").permissionBoundaries = [
        {
          name: `arn:aws:iam::${production}:policy/edge`,
          policy: policyOf({ Effect: "Allow", NotAction: "iam:PassRole", Resource: "*" }),
        },
      ];
    },
    ...passing,
    statement: { layer: "boundary", policy: `arn:aws:iam::${production}:policy/edge`, accountId: production },
    sentence: "the permissions boundary does not allow it; it is needed to launch the worker",
    mendedBy: "other",
  },
  {
    name: "an SCP denies passing roles to EC2",
    break: ({ world }) =>
      addLevelPolicy(world, "serviceControlPolicies", {
        account: production,
        level: "ou-root-workloads",
        statement: {
          Sid: "NoProfiles",
          Effect: "Deny",
          Action: "iam:PassRole",
          Resource: "*",
          Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
        },
      }),
    ...passing,
    statement: { layer: "scp", sid: "NoProfiles", attachedTo: "ou-root-workloads" },
    sentence: 'because iam:PassedToService is "ec2.amazonaws.com"',
    mendedBy: "other",
  },
  {
    name: "the worker role is in another account than the role that launches it",
    break: ({ world }) => {
      const { options } = workingStage();
      const documents = exportRole("worker", { ...options, placement: "backup" });
      const arn = `arn:aws:iam::${backup}:role/garrison-worker`;
      world.roles.set(arn, {
        arn,
        trust: documents.trust,
        identityPolicies: documents.inlinePolicies.map(({ document, name }) => ({ name, policy: document })),
        profiles: ["garrison-worker"],
      });
      return { workerRoleArn: arn };
    },
    links: ["pass-role", "grants"],
    subject: launchingArn,
    action: "iam:PassRole",
    sentence: `may not iam:PassRole on arn:aws:iam::${backup}:role/garrison-worker`,
    mendedBy: "nobody",
  },
];

/** Link 6: scopes that don't fit what is asked. */
const scopeRows: readonly Breakage[] = [
  {
    name: "the worker role is limited to another Region",
    break: ({ role }) => rewrite(role("worker"), ":*:222222222222", ":us-east-1:222222222222"),
    links: ["grants"],
    subject: workerArn,
    action: "sqs:DeleteMessage",
    statement: { layer: "identity", policy: "garrison-worker", sid: "DialogueReceive" },
    sentence: 'does, but only on "arn:aws:sqs:us-east-1:222222222222:garrison-*-*-in"',
    mendedBy: "role-owner",
  },
  {
    name: "the worker role is limited to another installation",
    break: ({ role }) => rewrite(role("worker"), "garrison-*-*", "garrison-00000000-*"),
    links: ["grants"],
    subject: workerArn,
    action: "sqs:DeleteMessage",
    statement: { layer: "identity", policy: "garrison-worker", sid: "DialogueReceive" },
    sentence: "garrison-00000000-*-in",
    mendedBy: "role-owner",
  },
  {
    name: "the worker role's policy names the ARNs of another partition",
    break: ({ role }) => rewrite(role("worker"), "arn:aws:", "arn:aws-us-gov:"),
    links: ["grants"],
    subject: workerArn,
    action: "sqs:DeleteMessage",
    statement: { layer: "identity", policy: "garrison-worker" },
    sentence: 'only on "arn:aws-us-gov:sqs',
    mendedBy: "role-owner",
  },
  {
    name: "the launching role is limited to snapshots of another installation",
    options: { installation: "00000000" },
    break: () => undefined,
    links: ["grants"],
    subject: launchingArn,
    action: "ec2:CreateSnapshots",
    statement: { layer: "identity", sid: "BackupSnapshots" },
    sentence: 'wants aws:RequestTag/garrison:installation to be like "00000000"',
    mendedBy: "role-owner",
  },
  {
    name: "the repository's role is limited to another prefix",
    break: ({ role }) => rewrite(role("repository"), "vault/main/", "vault/old/"),
    links: ["grants"],
    subject: repositoryArn,
    action: "s3:GetObject",
    statement: { layer: "identity", policy: "garrison-repository-read", sid: "RepositoryRead" },
    sentence: 'only on "arn:aws:s3:::vault/old/*"',
    mendedBy: "role-owner",
  },
  {
    name: "the repository's role knows another key",
    break: ({ role }) => rewrite(role("repository"), keyArn, keyArn.replace("1111", "9999")),
    links: ["grants"],
    subject: repositoryArn,
    action: "kms:Decrypt",
    statement: { layer: "identity", policy: "garrison-repository-read", sid: "RepositoryKeyDecrypt" },
    sentence: "needed to read the repository",
    mendedBy: "role-owner",
  },
  {
    name: "a right of the worker role was written a moment ago, and IAM is still spreading it",
    break: ({ role }) => {
      const { identityPolicies, trust } = role("worker");
      const before = { identityPolicies, trust, arn: workerArn, profiles: [] };
      withoutAction(before, "sqs:SendMessage");
      role("worker").before = before;
    },
    links: ["grants"],
    subject: workerArn,
    action: "sqs:SendMessage",
    sentence: "allows sqs:SendMessage",
    mendedBy: "nobody",
  },
];

/** Link 6: each action that the path uses, taken out of a role, in both forms. */
function withoutEach(
  roleId: RoleId,
  subject: string,
  options: NonNullable<Breakage["options"]>,
): readonly Breakage[] {
  const operations = findRole(roleId).operations;
  const grants = operations.flatMap((operation) =>
    operation.grants.flatMap((grant) => (grant.neededWhen === undefined ? [{ operation, grant }] : [])),
  );
  // Several grants may ask for an action: the first one is reported first.
  const used = new Map(
    grants
      .flatMap(({ grant, operation }) => grant.actions.map((action) => [action, operation] as const))
      .reverse(),
  );
  used.delete("iam:PassRole");
  return [...used].reverse().map(([action, operation]) => ({
    name: `${roleId} lacks ${action} (${options.form ?? "scoped"})`,
    options,
    break: ({ role }) => withoutAction(role(roleId), action),
    links: ["grants"],
    subject,
    action,
    statement: {
      layer: "identity",
      ...(options.form === "compatible" ? {} : { policy: `garrison-${operation.id.replaceAll(".", "-")}` }),
    },
    sentence: action,
    mendedBy: "role-owner",
  }));
}

export const brokenRights: readonly Breakage[] = [
  ...passRows,
  ...scopeRows,
  ...withoutEach("worker", workerArn, { form: "scoped" }),
  ...withoutEach("worker", workerArn, { form: "compatible" }),
  ...withoutEach("backup-ec2", launchingArn, { form: "scoped" }),
  ...withoutEach("repository", repositoryArn, { form: "scoped" }),
];

function passes(action: string | readonly string[] | undefined): boolean {
  return [action ?? []].flat().includes("iam:PassRole");
}

function rewrite(role: ReturnType<ReturnType<typeof workingStage>["role"]>, from: string, to: string): void {
  role.identityPolicies = role.identityPolicies.map((named) => ({
    ...named,
    policy: JSON.parse(JSON.stringify(named.policy).replaceAll(from, to)) as object,
  }));
}
