import type { Account } from "@garrison/api/schemas/accounts";
import type { SweepPlan, SweepResult } from "@garrison/api/schemas/sweep";
import { findSnapshotsByTags } from "@garrison/aws/ec2/instance-snapshots";
import { findInstances } from "@garrison/aws/ec2/instance-state";
import { describeError } from "@garrison/core/garrison-error";
import { roleOf } from "../access/aws-access.ts";
import { allAccounts } from "../store/accounts.ts";
import { listRecorded, type MadeResource } from "../store/made-resources.ts";
import { endedRunsOf } from "../store/runs.ts";
import { removeMade } from "./remove-made.ts";
import type { RunDependencies } from "./run-dependencies.ts";

type SweepItem = SweepPlan["remove"][number];

export interface PlannedSweep {
  readonly plan: SweepPlan;
  readonly leftovers: readonly MadeResource[];
}

interface Call {
  readonly signal: AbortSignal;
}

/**
 * What this installation has recorded as made, whose run has ended, and which nobody needs. What merely carries our tags
 * is reported and never touched: anyone may tag.
 */
export async function planSweep(dependencies: RunDependencies, call: Call): Promise<PlannedSweep> {
  const recorded = await listRecorded(dependencies.queries);
  const ended = await endedRunsOf(dependencies.queries, [...new Set(recorded.map(({ runId }) => runId))]);
  const leftovers = recorded
    .filter(({ keptAs, runId }) => keptAs === undefined && ended.has(runId))
    .sort((left, right) => right.id - left.id);
  const known = new Set(recorded.flatMap(({ resourceId }) => resourceId ?? []));
  const foreign: SweepItem[] = [];
  const unreachable: { accountId: string; message: string }[] = [];
  for (const account of await allAccounts(dependencies.queries)) {
    try {
      foreign.push(...(await findForeign(dependencies, { account, known, recorded }, call)));
    } catch (error) {
      if (call.signal.aborted) throw error;
      unreachable.push({ accountId: account.id, message: describeError(error) });
    }
  }
  return { plan: { remove: leftovers.map(toItem), foreign, unreachable }, leftovers };
}

/** Removes what was planned, one by one; a failure stops nothing and is reported. */
export async function executeSweep(
  dependencies: RunDependencies,
  planned: PlannedSweep,
  call: Call,
): Promise<SweepResult> {
  const removed: SweepItem[] = [];
  const failed: (SweepItem & { message: string })[] = [];
  for (const made of planned.leftovers) {
    try {
      const ids = await removeMade(dependencies, made, call);
      removed.push(...ids.map((resourceId) => ({ ...toItem(made), resourceId })));
    } catch (error) {
      if (call.signal.aborted) throw error;
      failed.push({ ...toItem(made), message: describeError(error) });
    }
  }
  return { ...planned.plan, removed, failed };
}

function toItem(made: MadeResource): SweepItem {
  return {
    kind: made.kind,
    accountId: made.accountId,
    region: made.region,
    resourceId: made.resourceId ?? `(intent ${made.token})`,
    runId: made.runId,
    why: "its run has ended",
  };
}

interface Search {
  readonly account: Account;
  readonly known: ReadonlySet<string>;
  readonly recorded: readonly MadeResource[];
}

async function findForeign(
  dependencies: RunDependencies,
  { account, known, recorded }: Search,
  call: Call,
): Promise<readonly SweepItem[]> {
  const { access, installation } = dependencies;
  // Only the backup role may list snapshots; in an account without it there is nothing to compare.
  if (account.roles.backup === undefined) return [];
  const clients = access.role(roleOf(account, "backup"));
  const instances = await findInstances(
    clients,
    { name: "tag:garrison:installation", value: installation },
    call,
  );
  const snapshots = await findSnapshotsByTags(clients, { "garrison:installation": installation }, call);
  const found = [
    ...instances.map(({ instanceId, tags }) => ({ kind: "instance", resourceId: instanceId, tags })),
    ...snapshots.map(({ snapshotId, tags }) => ({ kind: "snapshot", resourceId: snapshotId, tags })),
  ];
  // An open intent may be the one that made it: then it is not foreign, only not noted yet.
  const openRuns = new Set(
    recorded.filter(({ resourceId }) => resourceId === undefined).map(({ runId }) => runId),
  );
  return found
    .filter(({ resourceId, tags }) => !known.has(resourceId) && !openRuns.has(tags["garrison:run"] ?? ""))
    .map(({ kind, resourceId }) => ({
      kind,
      accountId: account.id,
      region: account.region,
      resourceId,
      why: "carries our tags, but no run of this installation recorded it",
    }));
}
