import type { VolumeSummary } from "./backup-plan.ts";

/** The numbers of a summary while they are being counted. */
export type VolumeCounts = {
  -readonly [Field in keyof Omit<VolumeSummary, "volumeId" | "coverage">]: VolumeSummary[Field];
};

export function emptyCounts(): VolumeCounts {
  return {
    blocksListed: 0,
    blocksRead: 0,
    bytesRead: 0,
    blocksStored: 0,
    bytesStored: 0,
    blocksReused: 0,
    blocksResumed: 0,
  };
}
