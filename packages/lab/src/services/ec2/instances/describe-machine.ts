import { nameKey } from "../../../identity/identity-tables.ts";
import type { MachineDescription } from "../../../instances/machine-host.ts";
import type { Lab } from "../../../lab.ts";
import { profileRole } from "./instance-profile.ts";
import type { InstanceRecord } from "./instance-record.ts";

/** What the machine's metadata service will tell; the profile's role is looked up as it is now. */
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
