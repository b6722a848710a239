import type { ImageBackupResult } from "@garrison/channel/messages";
import { describe, expect, test } from "vitest";
import { tellCoverage } from "./tell-coverage.ts";

type Volume = ImageBackupResult["volumes"][number];

async function told(volume: Pick<Volume, "coverage" | "fallbackReason">): Promise<readonly string[]> {
  const lines: string[] = [];
  const numbers = { blocksListed: 7, blocksRead: 7, bytesRead: 0, blocksStored: 0, bytesStored: 0 };
  const whole = { ...numbers, blocksReused: 0, blocksResumed: 0, volumeId: "vol-1", ...volume };
  await tellCoverage([whole], {
    log: async (message, resource) => void lines.push(`${resource} ${message}`),
  });
  return lines;
}

describe("the log of a backup", () => {
  test("says that what changed was read", async () => {
    expect(await told({ coverage: "changes" })).toEqual(["vol-1 read what changed: 7 blocks"]);
  });

  test("warns of a volume that was read in full though its changes were to be read, with the reason", async () => {
    const fallbackReason = "listing what changed from snap-1 to snap-2 (ebs:ListChangedBlocks is denied)";
    expect(await told({ coverage: "full", fallbackReason })).toEqual([
      `vol-1 warning: read in full instead of what changed: ${fallbackReason}`,
      "vol-1 read every allocated block: 7 blocks",
    ]);
  });

  test("does not warn of a first backup", async () => {
    expect(await told({ coverage: "full" })).toEqual(["vol-1 read every allocated block: 7 blocks"]);
  });
});
