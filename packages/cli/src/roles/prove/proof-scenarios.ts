import type { RoleId } from "@garrison/roles/role-definition";
import { ownersInlinePolicy, ownersKey } from "./change-roles.ts";
import { proofNames, roleArn, type PlacedRole } from "./proof-names.ts";

export interface ScenarioWithheld {
  readonly role: RoleId;
  readonly accountId: string;
  readonly action: string;
}

/** One way through an operation, to be run with all rights, and again with one of them missing. */
export interface ProofScenario {
  readonly id: string;
  readonly operation: "ec2.image-backup" | "ec2.instance-restore";
  readonly title: string;
  readonly kind: "check" | "repository" | "backup" | "restore";
  readonly placement: "production" | "backup";
  /** The server it is about; a restore is of its newest restore point. */
  readonly server: "new" | "backed-up" | "encrypted" | "encrypted-backed-up";
  /** A mishap that the scenario is about: these calls are denied in it, and only then other rights are needed. */
  readonly withheld?: readonly ScenarioWithheld[];
  readonly expected: "succeeded" | "failed";
  readonly instanceProfile?: string;
  /** Roles that their owner changes between the last good check and this one. */
  readonly changed?: readonly Pick<PlacedRole, "role" | "accountId">[];
  /** What it does with all rights besides ending as expected; a right without which it does not is felt. */
  readonly deeds?: readonly ProofDeed[];
  /** Actions that are felt here though an earlier scenario asks for them too. */
  readonly tries?: readonly string[];
}

/** Something that a run does, and says in one line of its log. */
export interface ProofDeed {
  /** Completes `the run does not ...`. */
  readonly what: string;
  /** What stands in that line. */
  readonly line: readonly string[];
}

const { backupAccount, productionAccount } = proofNames;
const backup = { operation: "ec2.image-backup", kind: "backup", expected: "succeeded" } as const;
const restore = { operation: "ec2.instance-restore", kind: "restore", expected: "succeeded" } as const;
const check = { kind: "check", server: "new", expected: "succeeded" } as const;

/** Its trust and profile are then told by the role that launches with it. */
function silentWorkerRole(accountId: string): readonly ScenarioWithheld[] {
  return ["iam:GetRole", "iam:ListInstanceProfilesForRole"].map((action) => ({
    role: "worker",
    accountId,
    action,
  }));
}

const ofRole = ({ accountId, role }: Pick<PlacedRole, "role" | "accountId">) =>
  roleArn(accountId, `garrison-${role}`);

/** A run that ends soon after the check, which is what it is about. */
function afterChange(changed: readonly Pick<PlacedRole, "role" | "accountId">[]) {
  return {
    expected: "failed",
    changed,
    deeds: changed.flatMap((one) => [
      {
        what: "show that an inline policy was changed",
        line: [ofRole(one), "changed since", `inline policy ${ownersInlinePolicy}`],
      },
      {
        what: "show that another policy was attached",
        line: [ofRole(one), "changed since", "attached policy"],
      },
      { what: "name who made the change", line: [ofRole(one), "changed since", "PutRolePolicy by"] },
      { what: "tell of conditions that the owner added", line: [ofRole(one), "also test", ownersKey] },
    ]),
    tries: [
      "cloudtrail:LookupEvents",
      "iam:GetContextKeysForPrincipalPolicy",
      "iam:GetPolicy",
      "iam:GetPolicyVersion",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
    ],
  } as const;
}

/**
 * A right is tried in the first scenario that needs it: what a check asks for in the check, what an operation needs in one
 * that passes otherwise, and in a mishap only what nothing else asks for.
 */
export const proofScenarios: readonly ProofScenario[] = [
  {
    ...check,
    id: "check-backup",
    operation: "ec2.image-backup",
    placement: "production",
    title: "the role check before a backup, where only the worker role can tell of itself",
    withheld: [{ role: "backup-ec2", accountId: productionAccount, action: "iam:GetInstanceProfile" }],
  },
  {
    ...check,
    id: "check-backup-from-backup-account",
    operation: "ec2.image-backup",
    placement: "backup",
    title: "the role check before a backup by a worker in the backup account",
  },
  {
    ...check,
    id: "check-restore",
    operation: "ec2.instance-restore",
    placement: "production",
    title: "the role check before a restore",
  },
  {
    ...check,
    kind: "repository",
    id: "new-repository",
    operation: "ec2.image-backup",
    placement: "production",
    title: "a new repository, whose bucket is tried first",
  },
  {
    ...backup,
    id: "backup",
    placement: "production",
    server: "new",
    title: "the first backup of an instance, by a worker whose agent can't fall back to the older poll",
    withheld: [{ role: "worker", accountId: productionAccount, action: "ec2messages:GetMessages" }],
  },
  {
    ...backup,
    id: "next-backup",
    placement: "production",
    server: "backed-up",
    title: "the next backup, of what changed",
    deeds: [{ what: "read only what changed", line: ["read what changed:"] }],
  },
  {
    ...backup,
    id: "backup-from-backup-account",
    placement: "backup",
    server: "new",
    title: "a backup by a worker in the backup account",
  },
  {
    ...backup,
    id: "backup-encrypted",
    placement: "production",
    server: "encrypted",
    title: "a backup of a volume that is encrypted under a key of the owner",
  },
  {
    ...restore,
    id: "restore",
    placement: "production",
    server: "backed-up",
    title: "a restore to a new instance",
  },
  {
    ...restore,
    id: "restore-from-backup-account",
    placement: "backup",
    server: "backed-up",
    title: "a restore by a worker in the backup account",
  },
  {
    ...restore,
    id: "restore-with-profile",
    placement: "production",
    server: "backed-up",
    title: "a restore to an instance that gets a role the owner listed",
    instanceProfile: proofNames.applicationRole,
  },
  {
    ...restore,
    id: "restore-encrypted",
    placement: "production",
    server: "encrypted-backed-up",
    title: "a restore of a volume that is encrypted under a key of the owner",
  },
  {
    ...backup,
    id: "backup-undo-by-name",
    placement: "production",
    server: "new",
    title: "a backup that fails as it makes its queues, and looks by name for what it may have made",
    withheld: [{ role: "backup-ec2", accountId: productionAccount, action: "sqs:CreateQueue" }],
    expected: "failed",
  },
  {
    ...backup,
    id: "backup-undo-by-name-from-backup-account",
    placement: "backup",
    server: "new",
    title:
      "a backup from the backup account that fails as it makes its queues, and looks by name for what it may have made",
    withheld: [{ role: "worker-deployment", accountId: backupAccount, action: "sqs:CreateQueue" }],
    expected: "failed",
  },
  {
    ...restore,
    id: "restore-undo-by-name",
    placement: "production",
    server: "backed-up",
    title: "a restore that fails as it makes its queues, and looks by name for what it may have made",
    withheld: [{ role: "restore-ec2", accountId: productionAccount, action: "sqs:CreateQueue" }],
    expected: "failed",
  },
  {
    ...backup,
    id: "backup-silent-worker",
    placement: "production",
    server: "new",
    title: "a backup whose worker never registers",
    withheld: [{ role: "worker", accountId: productionAccount, action: "ssm:UpdateInstanceInformation" }],
    expected: "failed",
  },
  {
    ...backup,
    id: "backup-silent-worker-in-backup-account",
    placement: "backup",
    server: "new",
    title: "a backup whose worker in the backup account never registers",
    withheld: [{ role: "worker", accountId: backupAccount, action: "ssm:UpdateInstanceInformation" }],
    expected: "failed",
  },
  {
    ...restore,
    id: "restore-silent-worker",
    placement: "production",
    server: "backed-up",
    title: "a restore whose worker never registers",
    withheld: [{ role: "worker", accountId: productionAccount, action: "ssm:UpdateInstanceInformation" }],
    expected: "failed",
  },
  {
    ...restore,
    id: "restore-undone",
    placement: "backup",
    server: "backed-up",
    title: "a restore that fails after its launch and removes the instance again",
    withheld: [{ role: "restore-ec2", accountId: productionAccount, action: "ec2:DescribeInstances" }],
    expected: "failed",
  },
  {
    ...backup,
    ...afterChange([
      { role: "backup-ec2", accountId: productionAccount },
      { role: "worker", accountId: productionAccount },
      { role: "repository", accountId: backupAccount },
    ]),
    id: "backup-after-change",
    placement: "production",
    server: "backed-up",
    title: "a backup whose roles their owner has changed since the last one, and that ends early",
    withheld: [{ role: "backup-ec2", accountId: productionAccount, action: "ec2:DescribeInstanceAttribute" }],
  },
  {
    ...backup,
    ...afterChange([{ role: "worker-deployment", accountId: backupAccount }]),
    id: "backup-after-change-from-backup-account",
    placement: "backup",
    server: "backed-up",
    title: "a backup from the backup account whose roles their owner has changed, and that ends early",
    withheld: [{ role: "backup-ec2", accountId: productionAccount, action: "ec2:DescribeInstanceAttribute" }],
  },
  {
    ...restore,
    ...afterChange([{ role: "restore-ec2", accountId: productionAccount }]),
    id: "restore-after-change",
    placement: "production",
    server: "backed-up",
    title: "a restore whose role its owner has changed since the last check, and that ends early",
    withheld: [{ role: "restore-ec2", accountId: productionAccount, action: "sqs:CreateQueue" }],
  },
  {
    ...check,
    id: "check-backup-by-launching-role",
    operation: "ec2.image-backup",
    placement: "production",
    title: "the role check before a backup, where the worker role can't tell of itself",
    withheld: silentWorkerRole(productionAccount),
  },
  {
    ...check,
    id: "check-backup-by-deployment-role",
    operation: "ec2.image-backup",
    placement: "backup",
    title:
      "the role check before a backup from the backup account, where the worker role can't tell of itself",
    withheld: silentWorkerRole(backupAccount),
  },
  {
    ...check,
    id: "check-restore-by-launching-role",
    operation: "ec2.instance-restore",
    placement: "production",
    title: "the role check before a restore, where the worker role can't tell of itself",
    withheld: silentWorkerRole(productionAccount),
  },
];
