import { completeRestoreSnapshot, startRestoreSnapshot } from "@garrison/aws/ec2/restore-snapshot";
import { readSnapshots } from "@garrison/aws/ec2/instance-snapshots";
import type { InstanceRecipe } from "@garrison/aws/ec2/instance-recipe";
import type { ImageRestoreResult } from "@garrison/channel/messages";
import { roleOf } from "../access/aws-access.ts";
import { makeResource } from "./make-resource.ts";
import type { RestoreJob } from "./restore-instance.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";
import { waitForSnapshots } from "./take-snapshots.ts";

export interface PendingSnapshot {
  readonly volumeId: string;
  readonly snapshotId: string;
}

/** Starts an empty snapshot for each volume of the point, tagged as ours from its first moment. */
export async function startSnapshots(
  dependencies: RunDependencies,
  job: RestoreJob,
  step: StepScope,
): Promise<readonly PendingSnapshot[]> {
  const { access, installation } = dependencies;
  const { run, account, recipe } = job;
  const clients = access.role(roleOf(account, "restore"));
  const started: PendingSnapshot[] = [];
  for (const volume of recipe.volumes) {
    const token = `${run.id}-${volume.volumeId}`;
    const tags = {
      "garrison:installation": installation,
      "garrison:run": run.id,
      "garrison:token": token,
    };
    const intent = {
      runId: run.id,
      kind: "snapshot",
      token,
      accountId: account.id,
      region: account.region,
      role: "restore",
    } as const;
    const made = await makeResource(dependencies, intent, async () => {
      const description = `Garrison restore of ${volume.volumeId} (${run.id})`;
      const request = { sizeGiB: volume.sizeGiB, description, token, tags, ...encryptionOf(volume) };
      return (await startRestoreSnapshot(clients, request, step)).snapshotId;
    });
    await step.log(`started a snapshot for ${volume.volumeId}`, made.resourceId);
    started.push({ volumeId: volume.volumeId, snapshotId: made.resourceId });
  }
  return started;
}

function encryptionOf(volume: InstanceRecipe["volumes"][number]) {
  if (!volume.isEncrypted) return {};
  return { encryption: volume.kmsKeyArn === undefined ? {} : { kmsKeyArn: volume.kmsKeyArn } };
}

/** Seals the snapshots with the worker's counts and checksums, which EBS compares with what it got, and waits for them. */
export async function completeSnapshots(
  dependencies: RunDependencies,
  { job, result }: { readonly job: RestoreJob; readonly result: ImageRestoreResult },
  step: StepScope,
): Promise<void> {
  const clients = dependencies.access.role(roleOf(job.account, "restore"));
  const snapshotIds = result.volumes.map(({ snapshotId }) => snapshotId);
  const completed = (await readSnapshots(clients, snapshotIds, step))
    .filter(({ state }) => state === "completed")
    .map(({ snapshotId }) => snapshotId);
  // A repeated step finds some of them complete already.
  for (const volume of result.volumes.filter(({ snapshotId }) => !completed.includes(snapshotId))) {
    const { snapshotId, blocksWritten, linearChecksum } = volume;
    await completeRestoreSnapshot(clients, { snapshotId, blocks: blocksWritten, linearChecksum }, step);
    await step.log(`completed with ${blocksWritten} blocks`, snapshotId);
  }
  const what = `the restored snapshots of ${job.recipe.instanceId}`;
  await waitForSnapshots(dependencies, { clients, snapshotIds, what }, step);
}
