import {
  createInstanceSnapshots,
  findSnapshotsByTags,
  readSnapshots,
  type SnapshotState,
} from "@garrison/aws/ec2/instance-snapshots";
import type { AwsClients } from "@garrison/aws/aws-clients";
import type { Account } from "@garrison/api/schemas/accounts";
import { GarrisonError } from "@garrison/core/garrison-error";
import { recordIntent, recordMade, recordRemoved } from "../store/made-resources.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";
import { waitUntil } from "./wait-until.ts";

export interface SnapshotRequest {
  readonly runId: string;
  readonly account: Account;
  readonly instanceId: string;
  readonly volumeIds: readonly string[];
}

export interface TakenSnapshot {
  readonly volumeId: string;
  readonly snapshotId: string;
  readonly sizeBytes: number;
}

/**
 * Takes the snapshots of a run, once: CreateSnapshots knows no client token, so a repeated step looks for what carries
 * the run's tags before it calls.
 */
export async function takeSnapshots(
  dependencies: RunDependencies,
  request: SnapshotRequest & { readonly clients: AwsClients },
  step: StepScope,
): Promise<readonly TakenSnapshot[]> {
  const { queries, clock, installation } = dependencies;
  const { runId, account, instanceId, clients } = request;
  const intent = { runId, accountId: account.id, region: account.region, role: "backup" } as const;
  const now = () => new Date(clock.now());
  const tags = {
    "garrison:installation": installation,
    "garrison:run": runId,
    "garrison:resource": instanceId,
    "garrison:token": runId,
  };
  const planned = await recordIntent(queries, {
    ...intent,
    kind: "snapshots",
    token: runId,
    intendedAt: now(),
  });
  const found = await findSnapshotsByTags(clients, tags, step);
  const taken =
    found.length > 0
      ? found
      : await createInstanceSnapshots(
          clients,
          { instanceId, description: `Garrison backup of ${instanceId} (${runId})`, tags },
          step,
        );
  for (const { snapshotId, volumeId } of taken) {
    const made = { ...intent, kind: "snapshot", token: snapshotId, intendedAt: now() } as const;
    await recordMade(queries, (await recordIntent(queries, made)).id, { resourceId: snapshotId, at: now() });
    await step.log(`took a snapshot of ${volumeId}`, snapshotId);
  }
  // Each is recorded by itself now; the intent has done its duty.
  await recordRemoved(queries, planned.id, now());
  const missing = request.volumeIds.filter((id) => !taken.some(({ volumeId }) => volumeId === id));
  if (missing.length > 0) {
    throw new GarrisonError(
      "snapshot-failed",
      `EC2 took no snapshot of ${missing.join(", ")} of ${instanceId}`,
    );
  }
  return taken.map(({ volumeId, snapshotId, sizeBytes }) => ({ volumeId, snapshotId, sizeBytes }));
}

/** Waits until all are completed. Throws `snapshot-failed` when one of them ends in an error. */
export async function waitForSnapshots(
  dependencies: RunDependencies,
  wanted: { readonly clients: AwsClients; readonly snapshotIds: readonly string[]; readonly what: string },
  step: StepScope,
): Promise<void> {
  const { clock, limits } = dependencies;
  const waiting = {
    what: wanted.what,
    timeoutMs: limits.snapshotMs,
    firstPauseMs: limits.pollFirstMs,
    longestPauseMs: limits.pollLongestMs,
    signal: step.signal,
  };
  await waitUntil(clock, waiting, async (signal) => {
    const states = await readSnapshots(wanted.clients, wanted.snapshotIds, { signal });
    for (const state of states) throwIfFailed(state);
    const completed = states.filter(({ state }) => state === "completed");
    return completed.length === wanted.snapshotIds.length ? true : undefined;
  });
  await step.log(`${wanted.snapshotIds.length} snapshots are complete`, wanted.snapshotIds.join(" "));
}

function throwIfFailed({ snapshotId, state, message }: SnapshotState): void {
  if (state !== "error") return;
  throw new GarrisonError(
    "snapshot-failed",
    `${snapshotId} ended in an error: ${message ?? "no reason given"}`,
  );
}
