import type { Lab } from "../../../lab.ts";
import { newMacAddress, publicAddress, takePrivateIp } from "../networks/addresses.ts";
import type { NetworkInterfaceRecord } from "../networks/network-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { noteVolume } from "../volumes/make-volume.ts";
import type { InstanceRecord } from "./instance-record.ts";
import type { LaunchPlan } from "./launch-plan.ts";

/** Notes one pending instance with its interface and its volumes; `finishLaunch` makes it run. */
export function launchInstance(
  lab: Lab,
  plan: LaunchPlan,
  place: { readonly reservationId: string; readonly launchIndex: number; readonly doomed?: boolean },
): InstanceRecord {
  const instanceId = newResourceId(lab.random, "i");
  const nic = connectInterface(lab, plan, instanceId);
  const { image, chosenProfile, network } = plan;
  const instance: InstanceRecord = {
    ...plan.settings,
    ...place,
    instanceId,
    zone: network.subnet.zone,
    imageId: image.imageId,
    bootable: image.bootable,
    instanceType: plan.type.name,
    architecture: image.architecture,
    state: "pending",
    transitionReason: "",
    launchedAtMs: lab.clock.now(),
    vpcId: nic.vpcId,
    subnetId: nic.subnetId,
    networkInterfaceId: nic.networkInterfaceId,
    privateIp: nic.privateIp,
    macAddress: nic.macAddress,
    ...(network.publicIp ? { publicIp: publicAddress(lab) } : {}),
    securityGroupIds: nic.securityGroupIds,
    sourceDestCheck: true,
    rootDeviceName: image.rootDeviceName,
    enaSupport: image.enaSupport,
    ...(image.bootMode === undefined ? {} : { bootMode: image.bootMode }),
    ...(plan.keyPair === undefined ? {} : { keyName: plan.keyPair.keyName }),
    ...(plan.spot ? { spotRequestId: `sir-${Buffer.from(lab.random.bytes(4)).toString("hex")}` } : {}),
    ...(chosenProfile === undefined
      ? {}
      : {
          profile: {
            arn: chosenProfile.profile.arn,
            id: chosenProfile.profile.instanceProfileId,
            associationId: newResourceId(lab.random, "iip-assoc"),
          },
        }),
    tags: plan.tags.instance,
  };
  lab.ec2.tables.instances.put(instanceId, instance);
  for (const planned of plan.volumes) {
    noteVolume(lab, {
      ...planned.volume,
      attachment: {
        instanceId,
        deviceName: planned.deviceName,
        state: "attaching",
        deleteOnTermination: planned.deleteOnTermination,
        attachedAtMs: lab.clock.now(),
      },
    });
  }
  return instance;
}

function connectInterface(lab: Lab, plan: LaunchPlan, instanceId: string): NetworkInterfaceRecord {
  const { network, settings } = plan;
  const { subnet } = network;
  const base: NetworkInterfaceRecord = network.existing ?? {
    networkInterfaceId: newResourceId(lab.random, "eni"),
    accountId: settings.accountId,
    region: settings.region,
    zone: subnet.zone,
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    privateIp: takePrivateIp(lab, subnet, network.privateIp),
    macAddress: newMacAddress(lab),
    description: "",
    securityGroupIds: network.groups.map((group) => group.groupId),
    status: "available",
    tags: plan.tags.networkInterface,
  };
  const nic: NetworkInterfaceRecord = {
    ...base,
    status: "in-use",
    attachment: {
      attachmentId: newResourceId(lab.random, "eni-attach"),
      instanceId,
      deleteOnTermination: network.deleteOnTermination,
      attachedAtMs: lab.clock.now(),
    },
  };
  lab.ec2.tables.networkInterfaces.put(nic.networkInterfaceId, nic);
  return nic;
}
