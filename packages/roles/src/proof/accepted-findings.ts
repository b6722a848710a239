import type { ProvenAction } from "./proof-record.ts";

/** What the proof found and the catalogue keeps all the same, with the reason: shown beside the right. */
export interface AcceptedFinding {
  readonly grant: string;
  readonly action: string;
  readonly finding: "not-felt" | "too-wide";
  readonly reason: string;
}

const redelivered =
  "a message that can't be removed comes again every half minute and is recognised; a run of hours would drown in them";
const furtherKeys =
  "only a role whose owner added conditions of their own is told about them; the check's verdict is the same";

const unseenDrift =
  "what changed in a role since it was last looked at is then not told; the check's verdict is the same";
const driftActions = ["iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"];

export const acceptedFindings: readonly AcceptedFinding[] = [
  ...driftActions.map((action): AcceptedFinding => ({
    grant: "drift-role-policies",
    action,
    finding: "not-felt",
    reason: unseenDrift,
  })),
  {
    grant: "backup-read-blocks",
    action: "ebs:ListChangedBlocks",
    finding: "not-felt",
    reason: "a backup passes without it and reads every block instead of those that changed",
  },
  { grant: "worker-queue-out", action: "sqs:DeleteMessage", finding: "not-felt", reason: redelivered },
  { grant: "dialogue-receive", action: "sqs:DeleteMessage", finding: "not-felt", reason: redelivered },
  ...["check-itself", "worker-check-itself"].map((grant): AcceptedFinding => ({
    grant,
    action: "iam:GetContextKeysForPrincipalPolicy",
    finding: "not-felt",
    reason: furtherKeys,
  })),
  {
    grant: "worker-instance",
    action: "ec2:RunInstances",
    finding: "too-wide",
    reason:
      "a role that also restores may launch without it, since a restored instance keeps the metadata options that it had",
  },
];

export function acceptedFinding(
  { grant, action }: Pick<ProvenAction, "grant" | "action">,
  finding: AcceptedFinding["finding"],
): AcceptedFinding | undefined {
  return acceptedFindings.find(
    (one) => one.grant === grant && one.action === action && one.finding === finding,
  );
}
