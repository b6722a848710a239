import type { Clock } from "@garrison/core/clock";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { ChainRequest } from "./chain-request.ts";
import type { LinkFinding, Verdict } from "./chain-report.ts";
import { chainSubjects } from "./chain-subjects.ts";
import type { ChainDependencies } from "./check-chain.ts";
import { joinPatches } from "./join-patches.ts";
import type { CallerFacts, Call, RoleProbe } from "./prober.ts";
import { findRole, roleCatalogue } from "./role-catalogue.ts";
import { principalArnOf } from "./role-arn.ts";
import { isPlannedRole } from "./role-operations.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";
import { walkRole } from "./walk-role.ts";

/** One account to check and what is known of its roles. */
export interface AccountTarget {
  readonly accountId: string;
  readonly name?: string;
  readonly region?: string;
  readonly externalId?: string;
  /** The roles it has, by ARN. Absent: all of `roleIds`, under the catalogue's names. */
  readonly roles?: Readonly<Partial<Record<RoleId, string>>>;
}

export interface OrganizationRequest extends Pick<
  ChainRequest,
  "region" | "installation" | "externalId" | "backupExternalId" | "names" | "passRoles" | "applianceArn"
> {
  readonly accounts: readonly AccountTarget[];
  /** Default: every role of the catalogue that lives in the account's kind and that this release uses. */
  readonly roleIds?: readonly RoleId[];
  readonly placement: "production" | "backup";
}

export interface RoleVerdict {
  readonly roleId: RoleId;
  readonly roleArn: string;
  readonly verdict: Verdict;
  readonly findings: readonly LinkFinding[];
}

export interface AccountVerdict {
  readonly accountId: string;
  readonly name?: string;
  readonly verdict: Verdict;
  readonly roles: readonly RoleVerdict[];
}

export interface OrganizationReport {
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly accounts: readonly AccountVerdict[];
}

export interface OrganizationDependencies extends ChainDependencies {
  readonly clock: Clock;
  /** After each role. */
  readonly onProgress?: (progress: { readonly checked: number; readonly total: number }) => void;
}

/** AWS counts IAM's rates by account: many side by side, each at its own pace. */
const accountsAtOnce = 100;

/** Every role of every account by itself; within an account the launching roles first, who know the worker's profile. */
export async function checkOrganization(
  dependencies: OrganizationDependencies,
  request: OrganizationRequest,
  call: Call,
): Promise<OrganizationReport> {
  const { clock, onProgress, prober } = dependencies;
  const startedAt = clock.now();
  const caller = await prober.callerIdentity(call);
  const asked = caller.outcome === "known" ? caller.value : undefined;
  const plans = request.accounts.map((target) => ({
    target,
    requests: planAccount(request, target, asked),
  }));
  const total = plans.reduce((sum, { requests }) => sum + requests.length, 0);
  let checked = 0;
  const accounts: AccountVerdict[] = [];
  const options = { concurrency: accountsAtOnce, signal: call.signal };
  const verdicts = mapConcurrent(plans, options, ({ requests, target }) =>
    checkAccount(
      { ...dependencies, caller: asked, done: () => onProgress?.({ checked: ++checked, total }) },
      {
        target,
        requests,
        call,
      },
    ),
  );
  for await (const verdict of verdicts) accounts.push(verdict);
  return { verdict: worst(accounts), durationMs: clock.now() - startedAt, accounts };
}

interface AccountPlan {
  readonly target: AccountTarget;
  readonly requests: readonly ChainRequest[];
  readonly call: Call;
}

interface AccountWalk extends OrganizationDependencies {
  /** Absent when nobody could be asked who we are. */
  readonly caller: CallerFacts | undefined;
  readonly done: () => void;
}

async function checkAccount(walk: AccountWalk, plan: AccountPlan): Promise<AccountVerdict> {
  const { accountId, name } = plan.target;
  const roles: RoleVerdict[] = [];
  let launcher: RoleProbe | undefined;
  for (const request of plan.requests) {
    const { probe, role } = await checkOne(walk, { request, launcher, call: plan.call });
    if (probe !== undefined && findRole(role.roleId).livesIn === "production") launcher = probe;
    roles.push(role);
    walk.done();
  }
  return { accountId, ...(name === undefined ? {} : { name }), verdict: worst(roles), roles };
}

async function checkOne(
  walk: AccountWalk,
  {
    request,
    launcher,
    call,
  }: {
    readonly request: ChainRequest;
    readonly launcher: RoleProbe | undefined;
    readonly call: Call;
  },
): Promise<{ readonly role: RoleVerdict; readonly probe: RoleProbe | undefined }> {
  const { caller } = walk;
  const [subject] = chainSubjects(request, caller ?? { accountId: "" });
  const roleId = subject?.role.id ?? request.roleId;
  if (subject === undefined || roleId === undefined) throw new RangeError(`${request.roleArn} is no role`);
  const { roleArn } = request;
  if (caller === undefined) {
    const sentence = "Nothing could be asked with the current AWS credentials.";
    const finding = {
      link: "assume-role",
      subject: roleArn,
      verdict: "unknown",
      sentence,
      knownBy: [],
    } as const;
    return { role: { roleId, roleArn, verdict: "unknown", findings: [finding] }, probe: undefined };
  }
  const asks = { caller, launcher, sessionPolicies: [], withExcess: false };
  const walked = await walkRole({ ...walk, ...asks }, subject, call);
  const findings = joinPatches(walked.findings);
  return { role: { roleId, roleArn, verdict: worst(findings), findings }, probe: walked.probe };
}

/** One request for each role of the account, the launching ones first. */
function planAccount(
  request: OrganizationRequest,
  target: AccountTarget,
  caller: CallerFacts | undefined,
): readonly ChainRequest[] {
  const own = request.applianceArn === undefined ? caller?.arn : principalArnOf(request.applianceArn);
  const [, partition = "aws", , , applianceAccount] = own?.split(":") ?? [];
  const isBackup = target.accountId === applianceAccount;
  const roles = roleCatalogue.filter(
    ({ id }) => target.roles === undefined || target.roles[id] !== undefined,
  );
  const wanted = roles.filter((role) => isAskedFor(role, request, target) && livesIn(role, isBackup, target));
  const ordered = wanted.toSorted((first, second) => rankOf(first) - rankOf(second));
  const { accounts: _all, roleIds: _ids, ...shared } = request;
  const arnOf = (role: RoleDefinition): string =>
    target.roles?.[role.id] ??
    `arn:${partition}:iam::${target.accountId}:role/${request.names?.[role.id] ?? role.defaultName}`;
  const worker = target.roles?.worker;
  return ordered.map((role) => ({
    ...shared,
    ...(target.externalId === undefined ? {} : { externalId: target.externalId }),
    ...(target.externalId === undefined || !isBackup ? {} : { backupExternalId: target.externalId }),
    ...(worker === undefined ? {} : { workerRoleArn: worker }),
    region: target.region ?? request.region,
    roleArn: arnOf(role),
    roleId: role.id,
    operations: role.serves.length > 0 ? role.serves : role.willServe,
  }));
}

/** What no code of this release works with need not exist: it is checked when it is named. */
function isAskedFor(role: RoleDefinition, { roleIds }: OrganizationRequest, target: AccountTarget): boolean {
  if (roleIds !== undefined) return roleIds.includes(role.id);
  return target.roles?.[role.id] !== undefined || !isPlannedRole(role);
}

/**
 * The appliance's own role can't be assumed by itself, a repository's is checked with its repository, and which account
 * manages the organisation isn't known here.
 */
function livesIn(role: RoleDefinition, isBackup: boolean, target: AccountTarget): boolean {
  if (role.id === "appliance") return false;
  if (target.roles?.[role.id] !== undefined) return true;
  if (role.livesIn === "bucket-account" || role.livesIn === "management-account") return false;
  return role.livesIn === "worker-account" || (role.livesIn === "backup") === isBackup;
}

function rankOf(role: RoleDefinition): number {
  return role.livesIn === "worker-account" ? 1 : 0;
}

function worst(parts: readonly { readonly verdict: Verdict }[]): Verdict {
  if (parts.some(({ verdict }) => verdict === "failed")) return "failed";
  return parts.some(({ verdict }) => verdict === "unknown") ? "unknown" : "passed";
}
