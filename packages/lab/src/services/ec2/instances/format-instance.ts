import type {
  Instance,
  InstanceNetworkInterface,
  InstanceState,
  InstanceStateName,
  Reservation,
} from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import type { VolumeRecord } from "../volumes/volume-record.ts";
import type { InstanceRecord } from "./instance-record.ts";

const stateCodes: Readonly<Record<InstanceStateName, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export function formatState(state: InstanceStateName): InstanceState {
  return { Code: stateCodes[state], Name: state };
}

export function stateCode(state: InstanceStateName): number {
  return stateCodes[state];
}

/** Instances of one RunInstances call. */
export function formatReservation(
  call: Pick<Call, "lab">,
  instances: readonly InstanceRecord[],
): Reservation {
  const first = instances[0]!;
  return {
    ReservationId: first.reservationId,
    OwnerId: first.accountId,
    Groups: [],
    Instances: instances.map((instance) => formatInstance(call, instance)),
  };
}

function formatInstance(call: Pick<Call, "lab">, instance: InstanceRecord): Instance {
  const ended = instance.state === "terminated";
  const volumes = attachedVolumes(call, instance.instanceId, instance.rootDeviceName);
  return {
    InstanceId: instance.instanceId,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType,
    Architecture: instance.architecture,
    State: formatState(instance.state),
    StateReason:
      instance.stateReason === undefined
        ? undefined
        : { Code: instance.stateReason.code, Message: instance.stateReason.message },
    StateTransitionReason: instance.transitionReason,
    LaunchTime: new Date(instance.launchedAtMs),
    AmiLaunchIndex: instance.launchIndex,
    KeyName: instance.keyName,
    Placement: { AvailabilityZone: instance.zone, Tenancy: "default", GroupName: "" },
    PlatformDetails: "Linux/UNIX",
    UsageOperation: "RunInstances",
    Monitoring: { State: instance.monitoring ? "enabled" : "disabled" },
    ...(ended ? {} : formatNetwork(call, instance)),
    RootDeviceName: instance.rootDeviceName,
    RootDeviceType: "ebs",
    BlockDeviceMappings: volumes.map(formatDevice),
    VirtualizationType: "hvm",
    Hypervisor: "xen",
    EnaSupport: instance.enaSupport,
    EbsOptimized: instance.ebsOptimized,
    BootMode: instance.bootMode as Instance["BootMode"],
    ClientToken: instance.clientToken ?? "",
    CpuOptions: {
      CoreCount: instance.cpuOptions.coreCount,
      ThreadsPerCore: instance.cpuOptions.threadsPerCore,
    },
    IamInstanceProfile:
      instance.profile === undefined ? undefined : { Arn: instance.profile.arn, Id: instance.profile.id },
    InstanceLifecycle: instance.spotRequestId === undefined ? undefined : "spot",
    SpotInstanceRequestId: instance.spotRequestId,
    MetadataOptions: {
      State: "applied",
      HttpTokens: instance.metadata.httpTokens,
      HttpPutResponseHopLimit: instance.metadata.httpPutResponseHopLimit,
      HttpEndpoint: instance.metadata.httpEndpoint,
      HttpProtocolIpv6: "disabled",
      InstanceMetadataTags: instance.metadata.instanceMetadataTags,
    },
    Tags: formatTags(instance.tags),
  };
}

function formatNetwork(call: Pick<Call, "lab">, instance: InstanceRecord): Partial<Instance> {
  const groups = formatGroups(call, instance);
  return {
    VpcId: instance.vpcId,
    SubnetId: instance.subnetId,
    PrivateIpAddress: instance.privateIp,
    PrivateDnsName: dnsName(instance),
    PublicIpAddress: instance.publicIp,
    PublicDnsName: "",
    SourceDestCheck: instance.sourceDestCheck,
    SecurityGroups: groups,
    NetworkInterfaces: [formatInterface(call, instance)],
  };
}

function formatInterface(call: Pick<Call, "lab">, instance: InstanceRecord): InstanceNetworkInterface {
  const nic = call.lab.ec2.tables.networkInterfaces.get(instance.networkInterfaceId);
  return {
    NetworkInterfaceId: instance.networkInterfaceId,
    VpcId: instance.vpcId,
    SubnetId: instance.subnetId,
    OwnerId: instance.accountId,
    MacAddress: instance.macAddress,
    PrivateIpAddress: instance.privateIp,
    PrivateDnsName: dnsName(instance),
    PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: instance.privateIp }],
    InterfaceType: "interface",
    SourceDestCheck: instance.sourceDestCheck,
    Status: "in-use",
    Groups: formatGroups(call, instance),
    Attachment: {
      AttachmentId: nic?.attachment?.attachmentId,
      AttachTime: new Date(nic?.attachment?.attachedAtMs ?? instance.launchedAtMs),
      DeleteOnTermination: nic?.attachment?.deleteOnTermination ?? true,
      DeviceIndex: 0,
      NetworkCardIndex: 0,
      Status: "attached",
    },
  };
}

function formatGroups(call: Pick<Call, "lab">, instance: InstanceRecord) {
  return instance.securityGroupIds.map((id) => ({
    GroupId: id,
    GroupName: call.lab.ec2.tables.securityGroups.get(id)?.groupName,
  }));
}

function formatDevice(volume: VolumeRecord): NonNullable<Instance["BlockDeviceMappings"]>[number] {
  const attachment = volume.attachment!;
  return {
    DeviceName: attachment.deviceName,
    Ebs: {
      VolumeId: volume.volumeId,
      Status: attachment.state === "busy" ? "attached" : attachment.state,
      AttachTime: new Date(attachment.attachedAtMs),
      DeleteOnTermination: attachment.deleteOnTermination,
    },
  };
}

function dnsName(instance: InstanceRecord): string {
  return `ip-${instance.privateIp.replaceAll(".", "-")}.${instance.region}.compute.internal`;
}
