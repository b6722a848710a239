import { nameKey } from "../../../identity/identity-tables.ts";
import type { MachineDescription } from "../../../instances/machine-host.ts";
import type { Lab } from "../../../lab.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import { fillVolume } from "../volumes/make-volume.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { profileRole } from "./instance-profile.ts";

/** pending -> running: makes the volumes that aren't there yet, then boots the machine if the image is bootable. */
export async function finishLaunch(lab: Lab, instanceId: string): Promise<void> {
  const { tables } = lab.ec2;
  const pending = tables.instances.get(instanceId);
  if (pending?.state !== "pending") return;
  for (const volume of attachedVolumes({ lab }, instanceId, pending.rootDeviceName)) {
    if (volume.state === "creating") await fillVolume(lab, volume);
    const filled = tables.volumes.get(volume.volumeId);
    if (filled?.attachment !== undefined) {
      tables.volumes.put(volume.volumeId, {
        ...filled,
        state: "in-use",
        attachment: { ...filled.attachment, state: "attached" },
      });
    }
  }
  // It may have been terminated while its disks were filled.
  const current = tables.instances.get(instanceId);
  if (current?.state !== "pending") return;
  const running: InstanceRecord = { ...current, state: "running" };
  tables.instances.put(instanceId, running);
  if (running.bootable) lab.machines.boot(describeMachine(lab, running));
}

export function describeMachine(lab: Lab, instance: InstanceRecord): MachineDescription {
  const { profile } = instance;
  const stored =
    profile === undefined
      ? undefined
      : lab.identity.instanceProfiles.get(nameKey(instance.accountId, profile.arn.split("/").at(-1)!));
  const role = stored === undefined ? undefined : profileRole(lab, stored);
  return {
    instanceId: instance.instanceId,
    accountId: instance.accountId,
    region: instance.region,
    availabilityZone: instance.zone,
    instanceType: instance.instanceType,
    privateIp: instance.privateIp,
    imageId: instance.imageId,
    tags: instance.tags,
    metadataTags: instance.metadata.instanceMetadataTags === "enabled",
    ...(role === undefined ? {} : { roleArn: role.arn }),
    ...(profile === undefined ? {} : { instanceProfileArn: profile.arn, instanceProfileId: profile.id }),
    ...(instance.userData === undefined ? {} : { userData: instance.userData }),
  };
}
