import type { Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import type { ImageRecord } from "../images/image-record.ts";
import type { InstanceRecord } from "../instances/instance-record.ts";
import type {
  NetworkInterfaceRecord,
  SecurityGroupRecord,
  SubnetRecord,
} from "../networks/network-records.ts";
import type { SnapshotRecord } from "../snapshots/snapshot-record.ts";
import type { VolumeRecord } from "../volumes/volume-record.ts";

/*
 * How each kind of resource looks to IAM: its ARN (snapshots and images have no account in theirs) and the condition
 * keys that the service authorization reference gives it. Resources that a call is about to make have `*` as their id
 * and no tags of their own.
 */

export function ec2Arn(
  call: Pick<Call, "partition" | "region">,
  resource: { readonly accountId?: string; readonly path: string },
): string {
  return `arn:${call.partition}:ec2:${call.region}:${resource.accountId ?? ""}:${resource.path}`;
}

export function instanceAccess(
  call: Call,
  instance: Pick<
    InstanceRecord,
    "accountId" | "instanceType" | "zone" | "ebsOptimized" | "metadata" | "tags"
  > &
    Partial<Pick<InstanceRecord, "instanceId" | "profile" | "spotRequestId">> & { readonly spot?: boolean },
): ResourceAccess {
  const { accountId, tags, metadata } = instance;
  const id = instance.instanceId ?? "*";
  return {
    arn: ec2Arn(call, { accountId, path: `instance/${id}` }),
    accountId,
    ...(instance.instanceId === undefined ? {} : { tags }),
    context: {
      "ec2:Region": call.region,
      "ec2:AvailabilityZone": instance.zone,
      "ec2:EbsOptimized": String(instance.ebsOptimized),
      "ec2:InstanceType": instance.instanceType,
      "ec2:RootDeviceType": "ebs",
      "ec2:Tenancy": "default",
      "ec2:InstanceMarketType":
        (instance.spot ?? instance.spotRequestId !== undefined) ? "spot" : "on-demand",
      "ec2:MetadataHttpEndpoint": metadata.httpEndpoint,
      "ec2:MetadataHttpTokens": metadata.httpTokens,
      "ec2:MetadataHttpPutResponseHopLimit": String(metadata.httpPutResponseHopLimit),
      "ec2:IsLaunchTemplateResource": "false",
      ...(instance.instanceId === undefined ? {} : { "ec2:InstanceID": id }),
      ...(instance.profile === undefined ? {} : { "ec2:InstanceProfile": instance.profile.arn }),
    },
  };
}

export function volumeAccess(
  call: Call,
  volume: Omit<VolumeRecord, "volumeId" | "lineage" | "state" | "createdAtMs" | "region"> & {
    readonly volumeId?: string;
  },
): ResourceAccess {
  const { accountId, volumeId } = volume;
  return {
    arn: ec2Arn(call, { accountId, path: `volume/${volumeId ?? "*"}` }),
    accountId,
    ...(volumeId === undefined ? {} : { tags: volume.tags }),
    context: {
      "ec2:Region": call.region,
      "ec2:AvailabilityZone": volume.zone,
      "ec2:Encrypted": String(volume.encrypted),
      "ec2:VolumeSize": String(volume.sizeGiB),
      "ec2:VolumeType": volume.volumeType,
      ...(volume.iops === undefined ? {} : { "ec2:VolumeIops": String(volume.iops) }),
      ...(volume.throughput === undefined ? {} : { "ec2:VolumeThroughput": String(volume.throughput) }),
      ...(volume.kmsKeyId === undefined ? {} : { "ec2:KmsKeyId": volume.kmsKeyId }),
      ...(volume.snapshotId === undefined
        ? {}
        : { "ec2:ParentSnapshot": ec2Arn(call, { path: `snapshot/${volume.snapshotId}` }) }),
      ...(volumeId === undefined ? {} : { "ec2:VolumeID": volumeId }),
    },
  };
}

export function snapshotAccess(call: Call, snapshot: SnapshotRecord): ResourceAccess {
  return {
    arn: ec2Arn(call, { path: `snapshot/${snapshot.snapshotId}` }),
    accountId: snapshot.accountId,
    tags: snapshot.tags,
    context: {
      "ec2:Region": call.region,
      "ec2:Owner": snapshot.accountId,
      "ec2:ParentVolume": ec2Arn(call, {
        accountId: snapshot.accountId,
        path: `volume/${snapshot.volumeId}`,
      }),
      "ec2:SnapshotID": snapshot.snapshotId,
      "ec2:SnapshotTime": new Date(snapshot.startedAtMs).toISOString(),
      "ec2:VolumeSize": String(snapshot.sizeGiB),
      "ec2:Encrypted": String(snapshot.encrypted),
    },
  };
}

/** A snapshot that is about to be made. */
export function newSnapshotAccess(
  call: Call,
  context: Readonly<Record<string, string>> = {},
): ResourceAccess {
  return {
    arn: ec2Arn(call, { path: "snapshot/*" }),
    accountId: call.accountId,
    context: { "ec2:Region": call.region, "ec2:Owner": call.accountId, ...context },
  };
}

export function imageAccess(call: Call, image: ImageRecord): ResourceAccess {
  return {
    arn: ec2Arn(call, { path: `image/${image.imageId}` }),
    // A public image is shared by its launch permission, which isn't a policy: IAM asks only the caller's own side.
    accountId: image.isPublic ? call.accountId : image.accountId,
    tags: image.accountId === call.accountId ? image.tags : {},
    context: {
      "ec2:Region": call.region,
      "ec2:ImageID": image.imageId,
      "ec2:ImageType": "machine",
      "ec2:Owner": image.ownerAlias ?? image.accountId,
      "ec2:Public": String(image.isPublic),
      "ec2:RootDeviceType": "ebs",
    },
  };
}

export function newImageAccess(call: Call): ResourceAccess {
  return {
    arn: ec2Arn(call, { path: "image/*" }),
    accountId: call.accountId,
    context: { "ec2:Region": call.region, "ec2:Owner": call.accountId },
  };
}

export function subnetAccess(call: Call, subnet: SubnetRecord): ResourceAccess {
  return {
    arn: ec2Arn(call, { accountId: subnet.accountId, path: `subnet/${subnet.subnetId}` }),
    accountId: subnet.accountId,
    tags: subnet.tags,
    context: {
      "ec2:Region": call.region,
      "ec2:AvailabilityZone": subnet.zone,
      "ec2:SubnetID": subnet.subnetId,
      "ec2:Vpc": vpcArn(call, subnet),
    },
  };
}

export function securityGroupAccess(call: Call, group: SecurityGroupRecord): ResourceAccess {
  return {
    arn: ec2Arn(call, { accountId: group.accountId, path: `security-group/${group.groupId}` }),
    accountId: group.accountId,
    tags: group.tags,
    context: {
      "ec2:Region": call.region,
      "ec2:SecurityGroupID": group.groupId,
      "ec2:Vpc": vpcArn(call, group),
    },
  };
}

export function networkInterfaceAccess(
  call: Call,
  nic: Pick<NetworkInterfaceRecord, "accountId" | "zone" | "subnetId" | "vpcId"> &
    Partial<Pick<NetworkInterfaceRecord, "networkInterfaceId" | "tags">>,
): ResourceAccess {
  const id = nic.networkInterfaceId;
  return {
    arn: ec2Arn(call, { accountId: nic.accountId, path: `network-interface/${id ?? "*"}` }),
    accountId: nic.accountId,
    ...(id === undefined || nic.tags === undefined ? {} : { tags: nic.tags }),
    context: {
      "ec2:Region": call.region,
      "ec2:AvailabilityZone": nic.zone,
      "ec2:Subnet": ec2Arn(call, { accountId: nic.accountId, path: `subnet/${nic.subnetId}` }),
      "ec2:Vpc": vpcArn(call, nic),
      ...(id === undefined ? {} : { "ec2:NetworkInterfaceID": id }),
    },
  };
}

export function vpcArn(call: Call, resource: { readonly accountId: string; readonly vpcId: string }): string {
  return ec2Arn(call, { accountId: resource.accountId, path: `vpc/${resource.vpcId}` });
}
