import type { ImageBackupResult } from "@garrison/channel/messages";
import type { StepScope } from "./run-scope.ts";

/**
 * Says of each volume how much was read. One that was to be read by its changes and was read in full costs hours and money,
 * so the reason is a warning of the run, which succeeds all the same.
 */
export async function tellCoverage(
  volumes: ImageBackupResult["volumes"],
  step: Pick<StepScope, "log">,
): Promise<void> {
  for (const { blocksRead, coverage, fallbackReason, volumeId } of volumes) {
    if (fallbackReason !== undefined)
      await step.log(`warning: read in full instead of what changed: ${fallbackReason}`, volumeId);
    const what = coverage === "full" ? "every allocated block" : "what changed";
    await step.log(`read ${what}: ${blocksRead} blocks`, volumeId);
  }
}
