import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { readRoleBefore } from "@garrison/aws/read-role-before";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber } from "@garrison/aws/role-prober";
import { GarrisonError } from "@garrison/core/garrison-error";
import { planRepair } from "@garrison/roles/repair/plan-repair";
import type { RepairPlan } from "@garrison/roles/repair/repair-plan";
import { requireHeld, type RoleBefore } from "@garrison/roles/repair/role-before";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { readPolicies } from "@garrison/roles/seen-policies";
import type { CliContext } from "../cli-context.ts";
import { confirmChanges } from "./confirm-changes.ts";
import { formatRepairPlan } from "./format-repair.ts";
import { formatRecheck, recheckRole, type Recheck } from "./recheck-role.ts";
import { repairTarget, type RepairTarget, type TargetFlags } from "./repair-target.ts";
import { secondsOf } from "./seconds-of.ts";
import { writeChanges } from "./write-changes.ts";

export interface RepairFlags extends TargetFlags {
  readonly undoFile?: string;
  readonly operatorProfile?: readonly string[];
  readonly applianceProfile?: string;
  readonly wait: string;
  readonly yes?: true;
  readonly json?: true;
}

interface Planned {
  readonly target: RepairTarget;
  readonly before: RoleBefore;
  readonly plan: RepairPlan;
  /** Layers that nobody could read. */
  readonly gaps: readonly string[];
}

/**
 * Shows what mends the role, asks, writes it with the operator's own current credentials and checks again. Exit code 0: the
 * role is right now; 1: it isn't, since something is left for others to do, or nothing was agreed to.
 */
export async function repairRole(roleArn: string, flags: RepairFlags, context: CliContext): Promise<void> {
  const target = repairTarget(roleArn, flags, context);
  const waitMs = secondsOf(flags.wait) * 1000;
  const clients = openAwsClients({ region: target.region });
  const others = (flags.operatorProfile ?? []).map((profile) =>
    openAwsClients({ region: target.region, profile }),
  );
  try {
    const planned = await plan({ target, clients, others }, roleArn, context);
    if (flags.json !== true) context.stdout.write(describe(planned));
    const { changes } = planned.plan;
    const question = `Write these ${changes.length} changes to ${roleArn}?`;
    const isAgreed =
      changes.length === 0 || flags.yes === true || (await confirmChanges(context, question, changes.length));
    const undoFile =
      isAgreed && changes.length > 0
        ? await writeChanges(clients, { before: planned.before, changes, undoFile: flags.undoFile }, context)
        : undefined;
    const recheck = isAgreed
      ? await recheckRole(
          { target, clients, others, waitMs: undoFile === undefined ? 0 : waitMs, ...profileOf(flags) },
          context,
        )
      : undefined;
    report(planned, { isAgreed, undoFile, recheck, json: flags.json }, context);
  } finally {
    for (const one of [clients, ...others]) one.close();
  }
}

function profileOf({ applianceProfile }: RepairFlags) {
  return applianceProfile === undefined ? {} : { applianceProfile };
}

async function plan(
  asks: {
    readonly target: RepairTarget;
    readonly clients: AwsClients;
    readonly others: readonly AwsClients[];
  },
  roleArn: string,
  { signal }: CliContext,
): Promise<Planned> {
  const { clients, others, target } = asks;
  await requireOwnAccount(clients, roleArn, signal);
  const before = await readRoleBefore(clients.iam(), { roleArn, managedNames: [] }, { signal });
  const held = requireHeld(before);
  const surroundings = await readPolicies(openPolicyReader([clients, ...others]), target.subject, { signal });
  const found = planRepair({ ...target, held, ...(surroundings === undefined ? {} : { surroundings }) });
  return { target, before, plan: found, gaps: surroundings?.gaps ?? ["organisation policies"] };
}

async function requireOwnAccount(clients: AwsClients, roleArn: string, signal: AbortSignal): Promise<void> {
  const who = await openProber(clients).callerIdentity({ signal });
  if (who.outcome !== "known") {
    throw new GarrisonError("aws-credentials-missing", `the current AWS credentials: ${who.message}`);
  }
  const { accountId } = parseRoleArn(roleArn);
  if (who.value.accountId === accountId) return;
  throw new GarrisonError(
    "usage",
    `${roleArn} is in account ${accountId}, and the current AWS credentials are ${who.value.arn}'s: repair it with credentials of its own account`,
  );
}

function describe({ gaps, plan: found }: Planned): string {
  const unread = gaps.map((gap) => `not looked into, since it can't be read: ${gap}\n`);
  return formatRepairPlan(found) + unread.join("");
}

interface Outcome {
  readonly isAgreed: boolean;
  readonly undoFile: string | undefined;
  readonly recheck: Recheck | undefined;
  readonly json: true | undefined;
}

function report({ gaps, plan: found }: Planned, outcome: Outcome, context: CliContext): void {
  const { isAgreed, json, recheck, undoFile } = outcome;
  const isLeft = found.patches.length + found.unmended.length > 0;
  const verdict = recheck?.verdict ?? "failed";
  context.setExitCode(!isAgreed || isLeft || verdict === "failed" ? 1 : 0);
  if (json === true) {
    const findings = recheck?.findings ?? [];
    const object = { ...found, gaps, applied: undoFile !== undefined, undoFile, verdict, findings };
    context.stdout.write(`${JSON.stringify(object, null, 2)}\n`);
    return;
  }
  if (!isAgreed) context.stdout.write("Nothing was changed.\n");
  if (undoFile !== undefined) {
    context.stdout.write(
      `${found.changes.length} changes written. To take them back: garrison roles undo ${undoFile}\n`,
    );
  }
  if (recheck !== undefined) context.stdout.write(formatRecheck(recheck));
}
