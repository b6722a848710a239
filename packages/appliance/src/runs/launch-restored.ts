import { launchRestoredInstance } from "@garrison/aws/ec2/launch-restored-instance";
import { findOwnImage, registerRestoredImage } from "@garrison/aws/ec2/restored-image";
import { readInstanceState, type InstanceState } from "@garrison/aws/ec2/instance-state";
import { removeOwnTags } from "@garrison/aws/ec2/remove-own-tags";
import { ownTags } from "@garrison/aws/ec2/tags";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { roleOf } from "../access/aws-access.ts";
import { keepMade, listLeftOf } from "../store/made-resources.ts";
import { makeResource } from "./make-resource.ts";
import { removeMade } from "./remove-made.ts";
import type { RestoreJob } from "./restore-instance.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope, StepScope } from "./run-scope.ts";
import { waitUntil } from "./wait-until.ts";
import type { PendingSnapshot } from "./write-snapshots.ts";

const imageTimeoutMs = 30 * 60_000;
const launchTimeoutMs = 15 * 60_000;

export interface RestoredInstance {
  readonly instanceId: string;
  readonly volumes: readonly { readonly deviceName: string; readonly volumeId: string }[];
}

/** Registers the image, launches the instance from it, waits until it runs, and keeps it. */
export async function launchRestored(
  dependencies: RunDependencies,
  scope: RunScope,
  { job, snapshots }: { readonly job: RestoreJob; readonly snapshots: readonly PendingSnapshot[] },
): Promise<RestoredInstance> {
  const imageId = await scope.step("register the image", (step) =>
    registerImage(dependencies, { job, snapshots }, step),
  );
  const instanceId = await scope.step("launch the instance", (step) =>
    launch(dependencies, { job, imageId }, step),
  );
  return scope.step("hand over the instance", async (step) => {
    const state = await waitForInstance(dependencies, { job, instanceId }, step);
    await step.log(`runs at ${state.privateIpAddress ?? "no address"}`, instanceId);
    await handOver(dependencies, { job, state }, step);
    return { instanceId, volumes: state.volumes };
  });
}

function intentOf(job: RestoreJob, kind: "image" | "instance", token: string) {
  const { run, account } = job;
  return {
    runId: run.id,
    kind,
    token,
    accountId: account.id,
    region: account.region,
    role: "restore",
  } as const;
}

function patience({ limits }: RunDependencies, signal: AbortSignal) {
  return { firstPauseMs: limits.pollFirstMs, longestPauseMs: limits.pollLongestMs, signal };
}

async function registerImage(
  dependencies: RunDependencies,
  { job, snapshots }: { readonly job: RestoreJob; readonly snapshots: readonly PendingSnapshot[] },
  step: StepScope,
): Promise<string> {
  const { access, clock, installation } = dependencies;
  const { run, account, recipe } = job;
  const clients = access.role(roleOf(account, "restore"));
  const name = `garrison-${run.id}`;
  const made = await makeResource(dependencies, intentOf(job, "image", name), async () => {
    // The name is the token: registering it twice fails, so a repeated step looks first.
    const known = await findOwnImage(clients, name, step);
    if (known !== undefined) return known.imageId;
    const byVolume = new Map(snapshots.map(({ volumeId, snapshotId }) => [volumeId, snapshotId]));
    const tags = { "garrison:installation": installation, "garrison:run": run.id, "garrison:token": name };
    return (await registerRestoredImage(clients, { name, recipe, snapshots: byVolume, tags }, step)).imageId;
  });
  const waiting = {
    what: `image ${name}`,
    timeoutMs: imageTimeoutMs,
    ...patience(dependencies, step.signal),
  };
  const image = await waitUntil(clock, waiting, async (signal) => {
    const current = await findOwnImage(clients, name, { signal });
    if (current?.state === "available") return current;
    if (current === undefined || current.state === "pending") return undefined;
    throw new GarrisonError(
      "restore-unsupported",
      `image ${name} is ${current.state}: ${current.reason ?? "no reason"}`,
    );
  });
  if (image.platformDetails !== undefined && image.platformDetails !== recipe.platformDetails) {
    throw new GarrisonError(
      "restore-unsupported",
      `the image would run as ${image.platformDetails}, the original ran as ${recipe.platformDetails}`,
    );
  }
  await step.log(`registered the image ${name}`, made.resourceId);
  return made.resourceId;
}

async function launch(
  dependencies: RunDependencies,
  { job, imageId }: { readonly job: RestoreJob; readonly imageId: string },
  step: StepScope,
): Promise<string> {
  const { access, installation } = dependencies;
  const { run, account, recipe, request } = job;
  const clients = access.role(roleOf(account, "restore"));
  const own = request.name === undefined ? recipe.tags : { ...recipe.tags, Name: request.name };
  const tags = { ...ownTags(own), "garrison:installation": installation, "garrison:run": run.id };
  if (recipe.instanceProfileArn !== undefined && request.instanceProfile === undefined) {
    await step.log(`restored without instance profile: ${recipe.instanceProfileArn} was not asked for`);
  }
  const made = await makeResource(dependencies, intentOf(job, "instance", run.id), async () => {
    const { instanceType, subnetId, securityGroupIds, keyName, instanceProfile } = request;
    const chosen = { instanceType, subnetId, securityGroupIds, keyName, instanceProfile };
    return (await launchRestoredInstance(clients, { imageId, recipe, ...chosen, token: run.id, tags }, step))
      .instanceId;
  });
  await step.log(`launched from ${imageId}`, made.resourceId);
  return made.resourceId;
}

async function waitForInstance(
  dependencies: RunDependencies,
  { job, instanceId }: { readonly job: RestoreJob; readonly instanceId: string },
  step: StepScope,
): Promise<InstanceState> {
  const clients = dependencies.access.role(roleOf(job.account, "restore"));
  const waiting = {
    what: `the restored ${instanceId}`,
    timeoutMs: launchTimeoutMs,
    ...patience(dependencies, step.signal),
  };
  return waitUntil(dependencies.clock, waiting, async (signal) => {
    const state = await readInstanceState(clients, instanceId, { signal });
    if (state.state === "running") return state;
    if (state.state === "pending" || state.state === "absent") return undefined;
    throw new GarrisonError(
      "restore-unsupported",
      `${instanceId} is ${state.state}: ${state.reason ?? "no reason"}`,
    );
  });
}

/** From here on it is the user's: no undo removes it, no tag of ours is on it, no right of ours reaches it. */
async function handOver(
  dependencies: RunDependencies,
  { job, state }: { readonly job: RestoreJob; readonly state: InstanceState },
  step: StepScope,
): Promise<void> {
  const { instanceId, tags, volumes } = state;
  await keepMade(dependencies.queries, [instanceId], "restored");
  const keys = Object.keys(tags).filter((key) => key.startsWith("garrison:"));
  if (keys.length === 0) return; // a repeated step: they are off already
  const clients = dependencies.access.role(roleOf(job.account, "restore"));
  const ids = [instanceId, ...volumes.map(({ volumeId }) => volumeId)];
  await removeOwnTags(clients, ids, { keys, signal: step.signal });
  await step.log("removed our tags", instanceId);
}

/** The image and its snapshots served one launch: the volumes are made, and don't need them. */
export async function removeImage(dependencies: RunDependencies, scope: RunScope): Promise<void> {
  await scope.step("remove image and snapshots", async (step) => {
    const left = await listLeftOf(dependencies.queries, scope.runId);
    for (const made of left.filter(({ kind }) => kind === "image" || kind === "snapshot")) {
      try {
        const removed = await removeMade(dependencies, made, step);
        for (const id of removed) await step.log(`removed ${made.kind}`, id);
      } catch (error) {
        if (step.signal.aborted) throw error;
        await step.log(`${made.kind} is left to the sweeper: ${describeError(error)}`, made.resourceId);
      }
    }
  });
}
