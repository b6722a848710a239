import { createHash } from "node:crypto";
import type { DriftEvent } from "@garrison/api/schemas/role-drift";
import { observeRole } from "@garrison/aws/observe-role";
import { describeError } from "@garrison/core/garrison-error";
import { throwIfAborted } from "@garrison/core/clock";
import type { ChainReport } from "@garrison/roles/chain-report";
import { compareRoles, mergeObserved, type DriftChange } from "@garrison/roles/drift/compare-roles";
import { parseRoleArn } from "@garrison/roles/role-arn";
import {
  findRoleState,
  recordDrift,
  saveRoleState,
  touchRoleState,
  type RoleStateRecord,
} from "../store/role-drift.ts";
import { chainRoles, type ReadableRole } from "./chain-roles.ts";
import type { ChainQuestion } from "./check-run-chain.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import { tellDrifts } from "./tell-drift.ts";

export type DriftDependencies = Pick<RunDependencies, "access" | "queries" | "clock" | "random" | "logger">;

export interface FoundDrift {
  readonly roleArn: string;
  readonly since: Date;
  readonly parts: readonly string[];
  /** The calls that may have made the change; none when nobody could be named. */
  readonly events: readonly DriftEvent[];
}

interface Call {
  readonly signal: AbortSignal;
}

/**
 * Compares each role of a chain that was just checked with what the last good check saw of it, and notes what was changed.
 * A role that passed is what the next check compares with. Nothing here fails a run: what can't be read is not compared.
 */
export async function noteDrift(
  dependencies: DriftDependencies,
  checked: { readonly question: ChainQuestion; readonly report: ChainReport },
  call: Call,
): Promise<readonly FoundDrift[]> {
  const found: FoundDrift[] = [];
  try {
    for (const role of await chainRoles(dependencies, checked.question)) {
      const drift = await noteRole(dependencies, { role, isGood: isGood(checked.report, role) }, call);
      if (drift !== undefined) found.push(drift);
    }
  } catch (error) {
    throwIfAborted(call.signal);
    dependencies.logger.warn({ error: describeError(error) }, "looking for changes of roles failed");
  }
  return found;
}

/** Only what was seen whole and right: a link that isn't known is no ground to compare with. */
function isGood({ findings }: ChainReport, { roleArn }: ReadableRole): boolean {
  const own = findings.filter(({ subject }) => subject === roleArn);
  return own.length > 0 && own.every(({ verdict }) => verdict !== "failed");
}

async function noteRole(
  dependencies: DriftDependencies,
  { isGood: good, role }: { readonly role: ReadableRole; readonly isGood: boolean },
  call: Call,
): Promise<FoundDrift | undefined> {
  const { access, clock, queries } = dependencies;
  const { readers, roleArn } = role;
  const identities = readers.map((reader) => access.role(reader).iam());
  const now = await observeRole(identities, role, call);
  const known = await findRoleState(queries, roleArn);
  const changes = known === undefined ? [] : compareRoles(known.observed, now);
  const at = new Date(clock.now());
  const found =
    known === undefined || changes.length === 0
      ? undefined
      : await noteChanges(dependencies, { role, known, changes, at, isBroken: !good });
  if (good) await saveRoleState(queries, mergeObserved(known?.observed, now), at);
  else await touchRoleState(queries, roleArn, at);
  const told = await tellDrifts(dependencies, role, call);
  if (found === undefined) return undefined;
  const { id, events, ...drift } = found;
  return { ...drift, events: told.get(id) ?? events };
}

interface Changed {
  readonly role: ReadableRole;
  readonly known: RoleStateRecord;
  readonly changes: readonly DriftChange[];
  readonly at: Date;
  readonly isBroken: boolean;
}

async function noteChanges(
  dependencies: DriftDependencies,
  { at, changes, isBroken, known, role }: Changed,
): Promise<FoundDrift & { readonly id: string }> {
  const { queries, random } = dependencies;
  const { roleArn } = role;
  const since = known.goodAt;
  const newId = `drift-${at.getTime().toString(16).padStart(12, "0")}${Buffer.from(random.bytes(4)).toString("hex")}`;
  const { events, id } = await recordDrift(queries, {
    id: newId,
    roleArn,
    accountId: parseRoleArn(roleArn).accountId,
    fingerprint: createHash("sha256").update(JSON.stringify(changes)).digest("hex"),
    since,
    foundAt: at,
    isBroken,
    changes: changes.map(storedChange),
  });
  return { id, roleArn, since, parts: changes.map(({ part }) => part), events };
}

function storedChange({ after, before, part }: DriftChange) {
  return {
    part,
    ...(before === undefined ? {} : { before: { ...before } }),
    ...(after === undefined ? {} : { after: { ...after } }),
  };
}
