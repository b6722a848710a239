import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { planRoleChanges, type PlannedRole } from "@garrison/aws/create-role";
import { GarrisonError } from "@garrison/core/garrison-error";
import { exportRole, placeholders, type RoleDocuments } from "@garrison/roles/export-role";
import { findRole } from "@garrison/roles/role-catalogue";
import type { CliContext } from "../cli-context.ts";
import { confirmChanges } from "./confirm-changes.ts";
import { formatChanges } from "./format-repair.ts";
import { formatRecheck, recheckRole, type Recheck } from "./recheck-role.ts";
import { repairTarget, type TargetFlags } from "./repair-target.ts";
import { exportOptions } from "./role-options.ts";
import { secondsOf } from "./seconds-of.ts";
import { writeChanges } from "./write-changes.ts";

export interface CreateFlags extends TargetFlags {
  readonly undoFile?: string;
  readonly operatorProfile?: readonly string[];
  readonly applianceProfile?: string;
  readonly wait: string;
  readonly yes?: true;
  readonly json?: true;
}

interface Planned extends PlannedRole {
  readonly documents: RoleDocuments;
}

interface Written extends Planned {
  readonly undoFile?: string;
  readonly recheck: Recheck;
}

interface Access {
  readonly clients: AwsClients;
  readonly others: readonly AwsClients[];
}

/**
 * Shows the difference, asks, writes it with the operator's own current credentials and checks each role again. Exit code
 * 0: the roles are right now; 1: one isn't, or nothing was agreed to.
 */
export async function createRoles(
  ids: readonly string[],
  given: CreateFlags,
  context: CliContext,
): Promise<void> {
  const flags = { ...given, region: regionOf(given, context) };
  const waitMs = secondsOf(flags.wait) * 1000;
  if (flags.undoFile !== undefined && ids.length > 1)
    throw new GarrisonError("usage", "--undo-file is for one role; without it each gets a file of its own");
  const clients = openAwsClients({ region: flags.region });
  const others = (flags.operatorProfile ?? []).map((profile) =>
    openAwsClients({ region: flags.region, profile }),
  );
  try {
    const planned = await planAll(clients, { ids, flags }, context);
    const count = planned.reduce((sum, { changes }) => sum + changes.length, 0);
    if (flags.json !== true) context.stdout.write(planned.map(formatPlan).join("\n"));
    const isAgreed =
      count === 0 ||
      flags.yes === true ||
      (await confirmChanges(context, `Write these ${count} changes?`, count));
    const written = isAgreed ? await write({ clients, others }, { planned, flags, waitMs }, context) : [];
    report(planned, { written, isAgreed, count, json: flags.json }, context);
  } finally {
    for (const one of [clients, ...others]) one.close();
  }
}

function regionOf({ region, regions }: TargetFlags, { environment }: CliContext): string {
  const found = region ?? regions?.[0] ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  return found ?? "us-east-1";
}

async function planAll(
  clients: AwsClients,
  { flags, ids }: { readonly ids: readonly string[]; readonly flags: CreateFlags },
  { signal }: CliContext,
): Promise<readonly Planned[]> {
  const planned: Planned[] = [];
  for (const id of ids) {
    const documents = exportRole(findRole(id).id, exportOptions(flags));
    refusePlaceholders(documents);
    planned.push({ documents, ...(await planRoleChanges(clients, documents, { signal })) });
  }
  return planned;
}

/** All are written before the first is checked: a launching role is not right before its worker role is there. */
async function write(
  { clients, others }: Access,
  wish: { readonly planned: readonly Planned[]; readonly flags: CreateFlags; readonly waitMs: number },
  context: CliContext,
): Promise<readonly Written[]> {
  const { flags, planned, waitMs } = wish;
  const files: (string | undefined)[] = [];
  for (const { before, changes } of planned) {
    const file = { before, changes, undoFile: flags.undoFile };
    files.push(changes.length === 0 ? undefined : await writeChanges(clients, file, context));
  }
  const written: Written[] = [];
  for (const [place, one] of planned.entries()) {
    const { documents, before } = one;
    const target = repairTarget(before.roleArn, targetFlags(flags, documents), context);
    const { applianceProfile } = flags;
    const undoFile = files[place];
    const request = { target, clients, others, waitMs: undoFile === undefined ? 0 : waitMs };
    const profile = applianceProfile === undefined ? {} : { applianceProfile };
    const recheck = await recheckRole({ ...request, ...profile }, context);
    written.push({ ...one, ...(undoFile === undefined ? {} : { undoFile }), recheck });
  }
  return written;
}

/** Without launching rights the role is for workers in the backup account, and is checked as that. */
function targetFlags(flags: CreateFlags, { roleId }: RoleDocuments): TargetFlags {
  const launches = findRole(roleId).operations.some(({ grants }) =>
    grants.some(({ placement }) => placement === "workers-in-production"),
  );
  const isApart = launches && flags.withWorkersInProduction !== true;
  return { ...flags, as: roleId, ...(isApart ? { placement: "backup" } : {}) };
}

interface Outcome {
  readonly written: readonly Written[];
  readonly isAgreed: boolean;
  readonly count: number;
  readonly json: true | undefined;
}

function report(
  planned: readonly Planned[],
  { count, isAgreed, json, written }: Outcome,
  { setExitCode, stdout }: CliContext,
): void {
  setExitCode(isAgreed && written.every(({ recheck }) => recheck.verdict !== "failed") ? 0 : 1);
  if (json === true) {
    const roles = isAgreed ? written.map(summary) : planned.map(summary);
    stdout.write(`${JSON.stringify({ applied: isAgreed, roles }, null, 2)}\n`);
    return;
  }
  stdout.write(isAgreed ? `${count} changes written.\n` : "Nothing was changed.\n");
  for (const { documents, recheck, undoFile } of written) {
    if (undoFile !== undefined) stdout.write(`To take them back: garrison roles undo ${undoFile}\n`);
    stdout.write(`${documents.roleName}: ${formatRecheck(recheck)}`);
  }
}

function summary({ before, changes, documents, ...rest }: Planned & Partial<Written>) {
  const { recheck, undoFile } = rest;
  const { roleId, roleName } = documents;
  const checked = recheck === undefined ? {} : { verdict: recheck.verdict, findings: recheck.findings };
  const file = undoFile === undefined ? {} : { undoFile };
  return { roleId, roleName, roleArn: before.roleArn, changes, ...file, ...checked };
}

/** A trust that names a placeholder would be valid for whoever guesses it. */
function refusePlaceholders(documents: RoleDocuments): void {
  const { inlinePolicies, managedPolicies, roleName, trust } = documents;
  const text = JSON.stringify([trust, inlinePolicies, managedPolicies]);
  const left = Object.values(placeholders).filter((placeholder) => text.includes(placeholder));
  if (left.length === 0) return;
  throw new GarrisonError(
    "usage",
    `${roleName} still needs ${left.join(" and ")}: see --help for the options`,
  );
}

function formatPlan({ changes, documents }: Planned): string {
  if (changes.length === 0) return `${documents.roleName}: as documented already\n`;
  return `${documents.roleName} (${documents.title})\n${formatChanges(changes)}`;
}
