import type { RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { openClientToken } from "../shared/client-tokens.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { ownedRecords, type Viewer } from "../shared/owned-records.ts";
import { permit } from "../shared/permit.ts";
import { mayCreateWithKey } from "../volumes/volume-key.ts";
import { authorizeLaunch } from "./authorize-launch.ts";
import { formatReservation } from "./format-instance.ts";
import { findInstanceType } from "./instance-types.ts";
import { launchInstance } from "./launch-instance.ts";
import type { LaunchPlan } from "./launch-plan.ts";
import { readLaunch } from "./read-launch.ts";
import { finishLaunch } from "./start-instance.ts";

export function runInstances(input: RunInstancesCommandInput, call: Call): object {
  const plan = readLaunch(input, call);
  permit(call, input.DryRun, authorizeLaunch(call, plan));
  const { lab } = call;
  const tokened = openClientToken(call, "RunInstances", input);
  const earlier = tokened.earlierIds
    ?.map((id) => lab.ec2.tables.instances.get(id))
    .filter((one) => one !== undefined);
  if (earlier !== undefined && earlier.length > 0) return formatReservation(call, earlier);
  const count = affordableCount(call, plan);
  const reservationId = newResourceId(lab.random, "r");
  const doomed = plan.volumes.some(({ volume }) => !mayCreateWithKey(call, volume));
  const launched = Array.from({ length: count }, (_, launchIndex) =>
    launchInstance(lab, plan, { reservationId, launchIndex, ...(doomed ? { doomed } : {}) }),
  );
  tokened.remember(launched.map((instance) => instance.instanceId));
  for (const { instanceId } of launched) lab.ec2.later(0, () => finishLaunch(lab, instanceId));
  return formatReservation(call, launched);
}

/** As many as the vCPU quota allows, at least MinCount of them. */
function affordableCount(call: Call, plan: LaunchPlan): number {
  const { vcpuLimit } = call.lab.ec2.settings;
  const affordable = Math.floor((vcpuLimit - usedVcpus(call)) / plan.type.vcpus);
  if (affordable < plan.minCount) {
    throw new AwsError(
      "VcpuLimitExceeded",
      `You have requested more vCPU capacity than your current vCPU limit of ${vcpuLimit} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`,
    );
  }
  return Math.min(affordable, plan.maxCount);
}

export function usedVcpus(viewer: Viewer): number {
  return ownedRecords(viewer, viewer.lab.ec2.tables.instances.values())
    .filter((instance) => instance.state === "pending" || instance.state === "running")
    .reduce((sum, instance) => sum + findInstanceType(instance.instanceType).vcpus, 0);
}
