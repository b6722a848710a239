import type { DescribeInstancesCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { ownedRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import { findInstance, isForgotten } from "./find-instance.ts";
import { formatReservation, stateCode } from "./format-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";

const filters: FilterTable<InstanceRecord> = {
  "instance-id": (instance) => instance.instanceId,
  "image-id": (instance) => instance.imageId,
  "instance-type": (instance) => instance.instanceType,
  architecture: (instance) => instance.architecture,
  "availability-zone": (instance) => instance.zone,
  "client-token": (instance) => instance.clientToken ?? "",
  "instance-lifecycle": (instance) => (instance.spotRequestId === undefined ? undefined : "spot"),
  "instance-state-name": (instance) => instance.state,
  "instance-state-code": (instance) => String(stateCode(instance.state)),
  "iam-instance-profile.arn": (instance) => instance.profile?.arn,
  "iam-instance-profile.id": (instance) => instance.profile?.id,
  "iam-instance-profile.name": (instance) => instance.profile?.arn.split("/").at(-1),
  "key-name": (instance) => instance.keyName,
  "owner-id": (instance) => instance.accountId,
  "private-ip-address": (instance) => instance.privateIp,
  "ip-address": (instance) => instance.publicIp,
  "network-interface.network-interface-id": (instance) => instance.networkInterfaceId,
  "network-interface.private-ip-address": (instance) => instance.privateIp,
  "instance.group-id": (instance) => instance.securityGroupIds,
  "network-interface.group-id": (instance) => instance.securityGroupIds,
  "subnet-id": (instance) => instance.subnetId,
  "vpc-id": (instance) => instance.vpcId,
  "reservation-id": (instance) => instance.reservationId,
  "root-device-name": (instance) => instance.rootDeviceName,
  "root-device-type": () => "ebs",
  "spot-instance-request-id": (instance) => instance.spotRequestId,
  "state-reason-code": (instance) => instance.stateReason?.code,
  "launch-time": (instance) => new Date(instance.launchedAtMs).toISOString(),
  "metadata-options.http-tokens": (instance) => instance.metadata.httpTokens,
};

export function describeInstances(input: DescribeInstancesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeInstances");
  if (input.MaxResults !== undefined && input.InstanceIds?.length) {
    throw new AwsError(
      "InvalidParameterCombination",
      "The parameter instancesSet cannot be used with the parameter maxResults",
    );
  }
  const page = pageRecords(
    filterRecords(listInstances(call, input.InstanceIds), input.Filters, filtersFor(call)),
    input,
    (instance) => `${instance.reservationId}/${instance.instanceId}`,
  );
  const reservations = Map.groupBy(page.items, (instance) => instance.reservationId);
  return {
    Reservations: [...reservations.values()].map((instances) => formatReservation(call, instances)),
    NextToken: page.NextToken,
  };
}

/** The named instances, or all that AWS still shows. */
export function listInstances(call: Call, ids: readonly string[] | undefined): InstanceRecord[] {
  if (ids !== undefined && ids.length > 0) return ids.map((id) => findInstance(call, id));
  return ownedRecords(call, call.lab.ec2.tables.instances.values()).filter(
    (instance) => !isForgotten(call, instance),
  );
}

/** Filters on volumes look at what is attached now. */
function filtersFor(call: Call): FilterTable<InstanceRecord> {
  const volumes = (instance: InstanceRecord) =>
    attachedVolumes(call, instance.instanceId, instance.rootDeviceName);
  return {
    ...filters,
    "block-device-mapping.volume-id": (instance) => volumes(instance).map((volume) => volume.volumeId),
    "block-device-mapping.device-name": (instance) =>
      volumes(instance).map((volume) => volume.attachment!.deviceName),
  };
}
