import { describe, expect, test } from "vitest";
import { MiB } from "@garrison/core/units";
import { demoNames } from "../../packages/cli/src/demo/demo-names.ts";
import { runDemo } from "../../packages/cli/src/demo/run-demo.ts";
import {
  clearFaults,
  findLeftovers,
  setUpStory,
  slowBlocks,
  startBackup,
  storyContext,
  StoryFolder,
  storyOptions,
  terminateWorkers,
  waitUntilStored,
  waitUntilEnded,
} from "./story.ts";

/** Enough on the disk for several packs. */
const bigDisk = { rootFilesMiB: 256 };
/** So much that some of it is sealed in packs that are in the repository. */
const severalPacks = 40 * MiB;
const { signal } = new AbortController();

function blocksResumed(result: Readonly<Record<string, unknown>> | undefined): number {
  const volumes = (result?.["volumes"] ?? []) as readonly { readonly blocksResumed: number }[];
  return volumes.reduce((sum, volume) => sum + volume.blocksResumed, 0);
}

describe("a backup survives", () => {
  test("the loss of its worker: another one goes on without reading again what is sealed", async () => {
    await using folder = await StoryFolder.open();
    await using running = await setUpStory(storyOptions(folder.path, bigDisk), signal);
    await slowBlocks(running.lab);
    const runId = await startBackup(running, signal);
    await waitUntilStored(running, { runId, bytes: severalPacks }, signal);
    const lost = await terminateWorkers(running.lab, demoNames.productionAccount);
    expect(lost).toHaveLength(1);
    await clearFaults(running.lab);
    const run = await waitUntilEnded(running, runId, signal);
    expect(run.failure).toBeUndefined();
    const { items: workers } = await running.api.call("listWorkers", { query: {} }, signal);
    expect(workers).toHaveLength(2);
    expect(blocksResumed(run.result)).toBeGreaterThan(0);
  });

  test("the loss of its appliance: the run goes on after the restart", async () => {
    await using folder = await StoryFolder.open();
    const options = storyOptions(folder.path);
    const before = await setUpStory(options, signal);
    await slowBlocks(before.lab);
    const runId = await startBackup(before, signal);
    await waitUntilStored(before, { runId, bytes: 1 }, signal);
    before.appliance.process.kill("SIGKILL");
    await clearFaults(before.lab);
    await using after = await before.restartAppliance();
    const run = await waitUntilEnded(after, runId, signal);
    expect({ status: run.status, failure: run.failure }).toEqual({ status: "succeeded", failure: undefined });
  });

  test("the loss of everything: the next start comes up, lists nothing half-made and leaves nothing behind", async () => {
    await using folder = await StoryFolder.open();
    const options = storyOptions(folder.path);
    const before = await setUpStory(options, signal);
    await slowBlocks(before.lab);
    const runId = await startBackup(before, signal);
    await waitUntilStored(before, { runId, bytes: 1 }, signal);
    before.appliance.process.kill("SIGKILL");
    before.lab.program.process.kill("SIGKILL");
    const { running, report } = await runDemo(options, storyContext(signal), () => undefined);
    await using _ = running;
    const { items: points } = await running.api.call("listPoints", { query: {} }, signal);
    const newest = new Set(points.map(({ id }) => id));
    expect(report.points.every(({ id }) => newest.has(id))).toBe(true);
    await running.api.call("executeSweep", {}, signal);
    const left = await findLeftovers(running.lab, demoNames.productionAccount);
    expect({ workers: left.workers, queues: left.queues }).toEqual({ workers: [], queues: [] });
    expect(left.snapshots).toHaveLength(2);
  });
});
