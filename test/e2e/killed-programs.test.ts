import { describe, expect, test } from "vitest";
import { demoNames } from "../../packages/cli/src/demo/demo-names.ts";
import { runDemo } from "../../packages/cli/src/demo/run-demo.ts";
import {
  findLeftovers,
  setUpStory,
  startBackup,
  storyContext,
  StoryFolder,
  storyOptions,
  terminateWorkers,
  waitUntilCopying,
  waitUntilEnded,
} from "./story.ts";

/** Enough on the disk for the copy to be under way when something is killed. */
const bigDisk = { rootFilesMiB: 512 };
const { signal } = new AbortController();

describe("a backup survives", () => {
  test("the loss of its worker: another one goes on without reading again what is sealed", async () => {
    await using folder = await StoryFolder.open();
    await using running = await setUpStory(storyOptions(folder.path, bigDisk), signal);
    const runId = await startBackup(running, signal);
    await waitUntilCopying(running, runId, signal);
    const lost = await terminateWorkers(running.lab, demoNames.productionAccount);
    expect(lost).toHaveLength(1);
    const run = await waitUntilEnded(running, runId, signal);
    expect(run.failure).toBeUndefined();
    const { items: workers } = await running.api.call("listWorkers", { query: {} }, signal);
    expect(workers).toHaveLength(2);
  });

  test("the loss of its appliance: the run goes on after the restart", async () => {
    await using folder = await StoryFolder.open();
    const options = storyOptions(folder.path, bigDisk);
    const before = await setUpStory(options, signal);
    const runId = await startBackup(before, signal);
    await waitUntilCopying(before, runId, signal);
    before.appliance.process.kill("SIGKILL");
    await using after = await before.restartAppliance();
    const run = await waitUntilEnded(after, runId, signal);
    expect({ status: run.status, failure: run.failure }).toEqual({ status: "succeeded", failure: undefined });
  });

  test("the loss of everything: the next start comes up, lists nothing half-made and leaves nothing behind", async () => {
    await using folder = await StoryFolder.open();
    const options = storyOptions(folder.path, bigDisk);
    const before = await setUpStory(options, signal);
    const runId = await startBackup(before, signal);
    await waitUntilCopying(before, runId, signal);
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
