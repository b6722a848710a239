import type {
  InstanceStateChange,
  StartInstancesCommandInput,
  StopInstancesCommandInput,
  TerminateInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { instanceAccess } from "../shared/resource-access.ts";
import { endInstance, userInitiated } from "./end-instance.ts";
import { findInstance } from "./find-instance.ts";
import { formatState } from "./format-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { findInstanceType } from "./instance-types.ts";
import { usedVcpus } from "./run-instances.ts";
import { finishLaunch } from "./start-instance.ts";

interface StateChangeInput {
  readonly InstanceIds: string[] | undefined;
  readonly DryRun?: boolean | undefined;
}

/** Terminating what is terminated already is a success, as on AWS. One protected instance refuses the whole call. */
export function terminateInstances(input: TerminateInstancesCommandInput, call: Call): object {
  const instances = chooseInstances(input, call, "ec2:TerminateInstances");
  const kept = instances.find((instance) => instance.disableApiTermination && !isEnded(instance));
  if (kept !== undefined) {
    throw new AwsError(
      "OperationNotPermitted",
      `The instance '${kept.instanceId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    );
  }
  return {
    TerminatingInstances: instances.map((instance) =>
      isEnded(instance)
        ? formatChange(instance, instance)
        : formatChange(
            instance,
            endInstance(call.lab, instance, { to: "terminated", reason: userInitiated }),
          ),
    ),
  };
}

export function stopInstances(input: StopInstancesCommandInput, call: Call): object {
  const instances = chooseInstances(input, call, "ec2:StopInstances");
  for (const instance of instances) {
    if (instance.disableApiStop) {
      throw new AwsError(
        "OperationNotPermitted",
        `The instance '${instance.instanceId}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
      );
    }
    if (isEnded(instance) || instance.state === "pending") throw wrongState(instance, "stopped");
    if (instance.spotRequestId !== undefined) {
      throw new AwsError(
        "UnsupportedOperation",
        "You can't stop the Spot Instance because it is associated with a one-time Spot Instance request.",
      );
    }
  }
  return {
    StoppingInstances: instances.map((instance) =>
      instance.state === "running"
        ? formatChange(instance, endInstance(call.lab, instance, { to: "stopped", reason: userInitiated }))
        : formatChange(instance, instance),
    ),
  };
}

export function startInstances(input: StartInstancesCommandInput, call: Call): object {
  const instances = chooseInstances(input, call, "ec2:StartInstances");
  for (const instance of instances) {
    if (isEnded(instance) || instance.state === "stopping") throw wrongState(instance, "started");
  }
  return {
    StartingInstances: instances.map((instance) => formatChange(instance, startAgain(call, instance))),
  };
}

function startAgain(call: Call, instance: InstanceRecord): InstanceRecord {
  if (instance.state !== "stopped") return instance;
  const { lab } = call;
  const { vcpuLimit } = lab.ec2.settings;
  if (usedVcpus(call) + findInstanceType(instance.instanceType).vcpus > vcpuLimit) {
    throw new AwsError(
      "VcpuLimitExceeded",
      `You have requested more vCPU capacity than your current vCPU limit of ${vcpuLimit} allows for the instance bucket that the specified instance type belongs to.`,
    );
  }
  const { stateReason: _earlier, ...rest } = instance;
  const starting: InstanceRecord = {
    ...rest,
    state: "pending",
    transitionReason: "",
    launchedAtMs: lab.clock.now(),
  };
  lab.ec2.tables.instances.put(instance.instanceId, starting);
  lab.ec2.later(0, () => finishLaunch(lab, instance.instanceId));
  return starting;
}

function chooseInstances(input: StateChangeInput, call: Call, action: string): InstanceRecord[] {
  if (input.InstanceIds === undefined || input.InstanceIds.length === 0) throw missingParameter("InstanceId");
  const instances = [...new Set(input.InstanceIds)].map((id) => findInstance(call, id));
  permit(call, input.DryRun, [
    { action, resources: instances.map((instance) => instanceAccess(call, instance)) },
  ]);
  return instances;
}

function isEnded(instance: InstanceRecord): boolean {
  return instance.state === "terminated" || instance.state === "shutting-down";
}

function wrongState(instance: InstanceRecord, verb: string): AwsError {
  return new AwsError(
    "IncorrectInstanceState",
    `The instance '${instance.instanceId}' is not in a state from which it can be ${verb}.`,
  );
}

function formatChange(before: InstanceRecord, after: InstanceRecord): InstanceStateChange {
  return {
    InstanceId: before.instanceId,
    PreviousState: formatState(before.state),
    CurrentState: formatState(after.state),
  };
}
