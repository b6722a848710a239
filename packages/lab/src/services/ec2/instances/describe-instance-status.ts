import type {
  DescribeIamInstanceProfileAssociationsCommandInput,
  DescribeInstanceStatusCommandInput,
  GetConsoleOutputCommandInput,
} from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { instanceAccess } from "../shared/resource-access.ts";
import { listInstances } from "./describe-instances.ts";
import { findInstance } from "./find-instance.ts";
import { formatState, stateCode } from "./format-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";

export function describeInstanceStatus(input: DescribeInstanceStatusCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeInstanceStatus");
  const instances = listInstances(call, input.InstanceIds).filter(
    (instance) => input.IncludeAllInstances === true || instance.state === "running",
  );
  const filtered = filterRecords(instances, input.Filters, {
    "availability-zone": (instance: InstanceRecord) => instance.zone,
    "instance-state-name": (instance: InstanceRecord) => instance.state,
    "instance-state-code": (instance: InstanceRecord) => String(stateCode(instance.state)),
    "instance-status.status": health,
    "system-status.status": health,
  });
  const page = pageRecords(filtered, input, (instance) => instance.instanceId);
  return {
    InstanceStatuses: page.items.map((instance) => ({
      InstanceId: instance.instanceId,
      AvailabilityZone: instance.zone,
      InstanceState: formatState(instance.state),
      InstanceStatus: formatHealth(instance),
      SystemStatus: formatHealth(instance),
    })),
    NextToken: page.NextToken,
  };
}

function health(instance: InstanceRecord): "ok" | "not-applicable" {
  return instance.state === "running" ? "ok" : "not-applicable";
}

function formatHealth(instance: InstanceRecord) {
  const status = health(instance);
  return { Status: status, Details: status === "ok" ? [{ Name: "reachability", Status: "passed" }] : [] };
}

/** What the machine wrote to its console, base64; empty for instances that only have a state. */
export function getConsoleOutput(input: GetConsoleOutputCommandInput, call: Call): object {
  const instance = findInstance(call, input.InstanceId);
  permit(call, input.DryRun, [
    { action: "ec2:GetConsoleOutput", resources: [instanceAccess(call, instance)] },
  ]);
  const text = instance.bootable ? call.lab.machines.consoleOutput(instance.instanceId) : "";
  return {
    InstanceId: instance.instanceId,
    Timestamp: new Date(call.lab.clock.now()),
    Output: Buffer.from(text).toString("base64"),
  };
}

export function describeIamInstanceProfileAssociations(
  input: DescribeIamInstanceProfileAssociationsCommandInput,
  call: Call,
): object {
  permitAny(call, undefined, "ec2:DescribeIamInstanceProfileAssociations");
  const instances = listInstances(call, undefined).filter(
    (instance) => instance.profile !== undefined && instance.state !== "terminated",
  );
  const named = input.AssociationIds?.length
    ? instances.filter((instance) => input.AssociationIds!.includes(instance.profile!.associationId))
    : instances;
  const filtered = filterRecords(named, input.Filters, {
    "instance-id": (instance: InstanceRecord) => instance.instanceId,
    state: () => "associated",
  });
  const page = pageRecords(filtered, input, (instance) => instance.instanceId);
  return {
    IamInstanceProfileAssociations: page.items.map((instance) => ({
      AssociationId: instance.profile!.associationId,
      InstanceId: instance.instanceId,
      IamInstanceProfile: { Arn: instance.profile!.arn, Id: instance.profile!.id },
      State: "associated",
    })),
    NextToken: page.NextToken,
  };
}
