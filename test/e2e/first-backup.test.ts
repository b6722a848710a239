import { expect, test } from "vitest";
import { runDemo } from "../../packages/cli/src/demo/run-demo.ts";
import { demoNames } from "../../packages/cli/src/demo/demo-names.ts";
import { findLeftovers, storyContext, StoryFolder, storyOptions } from "./story.ts";

test.each(["production", "backup"] as const)(
  "an instance is backed up twice and restored byte for byte by a worker in the %s account",
  async (placement) => {
    await using folder = await StoryFolder.open();
    const { signal } = new AbortController();
    const lines: string[] = [];
    const options = storyOptions(folder.path, { placement });
    const { report, running } = await runDemo(options, storyContext(signal), (line) => lines.push(line));
    await using _ = running;
    const [first, second] = report.points;
    expect(first?.coverage).toBe("full");
    expect(second?.coverage).toBe("changes");
    expect(second?.bytesRead).toBeLessThan((first?.bytesRead ?? 0) / 2);
    for (const accountId of [demoNames.productionAccount, demoNames.backupAccount]) {
      const left = await findLeftovers(running.lab, accountId);
      expect({ workers: left.workers, queues: left.queues }).toEqual({ workers: [], queues: [] });
    }
  },
);
