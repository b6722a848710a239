import type { StoreCall } from "../store/object-store.ts";
import type { BackupDependencies, BackupPlan, BackupSummary } from "./backup-plan.ts";
import type { BackupRun } from "./backup-run.ts";
import { backupVolume, type VolumeResult } from "./backup-volume.ts";
import type { EngineLimits } from "./engine-limits.ts";
import { runSession } from "./run-session.ts";
import { verifyUnlisted } from "./verify-unlisted.ts";

/**
 * Makes one restore point of all `volumes`. The same session with another lane resumes: what is sealed is not read
 * again. Everything else that may be relied on is said at `runSession`.
 */
export function backupVolumes(
  dependencies: BackupDependencies,
  plan: BackupPlan & { readonly limits?: EngineLimits },
  call: StoreCall,
): Promise<BackupSummary> {
  return runSession(dependencies, { plan, read: readVolumes }, call);
}

async function readVolumes(run: BackupRun): Promise<readonly VolumeResult[]> {
  const results: VolumeResult[] = [];
  for (const number of run.plan.volumes.keys()) {
    const result = await backupVolume(run, number);
    await verifyUnlisted(run, { number, result });
    results.push(result);
  }
  return results;
}
