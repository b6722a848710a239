import { GarrisonError } from "@garrison/core/garrison-error";
import type { BackupDependencies, BackupPlan, BackupSummary } from "./backup-plan.ts";
import type { StoreCall } from "./object-store.ts";

/**
 * Makes one restore point of all `volumes`. The same session with another lane resumes: what is sealed is not read
 * again. A session that is committed already answers with that point's summary.
 */
export async function backupVolumes(
  _dependencies: BackupDependencies,
  _plan: BackupPlan,
  _call: StoreCall,
): Promise<BackupSummary> {
  throw new GarrisonError("internal", "backup is not wired yet");
}
