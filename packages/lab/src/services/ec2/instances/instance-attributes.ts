import type {
  DescribeInstanceAttributeCommandInput,
  InstanceAttribute,
  ModifyInstanceAttributeCommandInput,
} from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import { findSecurityGroup } from "../networks/find-network.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { instanceAccess, securityGroupAccess } from "../shared/resource-access.ts";
import { attachedVolumes } from "../volumes/find-volume.ts";
import { findInstance } from "./find-instance.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { findInstanceType } from "./instance-types.ts";

type AttributeReader = (instance: InstanceRecord, call: Call) => Partial<InstanceAttribute>;

const readers: Readonly<Record<string, AttributeReader>> = {
  instanceType: (instance) => ({ InstanceType: { Value: instance.instanceType } }),
  userData: (instance) => ({ UserData: instance.userData === undefined ? {} : { Value: instance.userData } }),
  disableApiTermination: (instance) => ({ DisableApiTermination: { Value: instance.disableApiTermination } }),
  disableApiStop: (instance) => ({ DisableApiStop: { Value: instance.disableApiStop } }),
  instanceInitiatedShutdownBehavior: (instance) => ({
    InstanceInitiatedShutdownBehavior: { Value: instance.shutdownBehavior },
  }),
  rootDeviceName: (instance) => ({ RootDeviceName: { Value: instance.rootDeviceName } }),
  sourceDestCheck: (instance) => ({ SourceDestCheck: { Value: instance.sourceDestCheck } }),
  ebsOptimized: (instance) => ({ EbsOptimized: { Value: instance.ebsOptimized } }),
  enaSupport: (instance) => ({ EnaSupport: { Value: instance.enaSupport } }),
  sriovNetSupport: () => ({ SriovNetSupport: { Value: "simple" } }),
  kernel: () => ({ KernelId: {} }),
  ramdisk: () => ({ RamdiskId: {} }),
  productCodes: () => ({ ProductCodes: [] }),
  enclaveOptions: () => ({ EnclaveOptions: { Enabled: false } }),
  groupSet: (instance, call) => ({
    Groups: instance.securityGroupIds.map((id) => ({
      GroupId: id,
      GroupName: call.lab.ec2.tables.securityGroups.get(id)?.groupName,
    })),
  }),
  blockDeviceMapping: (instance, call) => ({
    BlockDeviceMappings: attachedVolumes(call, instance.instanceId, instance.rootDeviceName).map(
      (volume) => ({
        DeviceName: volume.attachment!.deviceName,
        Ebs: {
          VolumeId: volume.volumeId,
          Status: volume.attachment!.state === "busy" ? "attached" : volume.attachment!.state,
          AttachTime: new Date(volume.attachment!.attachedAtMs),
          DeleteOnTermination: volume.attachment!.deleteOnTermination,
        },
      }),
    ),
  }),
};

export function describeInstanceAttribute(input: DescribeInstanceAttributeCommandInput, call: Call): object {
  const instance = findInstance(call, input.InstanceId);
  if (input.Attribute === undefined) throw missingParameter("attribute");
  const reader = readers[input.Attribute];
  if (reader === undefined)
    throw invalidParameter(
      `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`,
    );
  permit(call, input.DryRun, [
    { action: "ec2:DescribeInstanceAttribute", resources: [instanceAccess(call, instance)] },
  ]);
  return { InstanceId: instance.instanceId, ...reader(instance, call) };
}

export function modifyInstanceAttribute(input: ModifyInstanceAttributeCommandInput, call: Call): object {
  const instance = findInstance(call, input.InstanceId);
  const groups = (input.Groups ?? []).map((id) => findSecurityGroup(call, id));
  const action = "ec2:ModifyInstanceAttribute";
  permit(call, input.DryRun, [
    {
      action,
      resources: [instanceAccess(call, instance), ...groups.map((group) => securityGroupAccess(call, group))],
    },
  ]);
  const { tables } = call.lab.ec2;
  tables.instances.put(instance.instanceId, { ...instance, ...readChanges(input, instance) });
  if (groups.length > 0) {
    const nic = tables.networkInterfaces.get(instance.networkInterfaceId);
    if (nic !== undefined)
      tables.networkInterfaces.put(nic.networkInterfaceId, { ...nic, securityGroupIds: input.Groups! });
  }
  keepVolumes(call, input, instance);
  return {};
}

function readChanges(
  input: ModifyInstanceAttributeCommandInput,
  instance: InstanceRecord,
): Partial<InstanceRecord> {
  const wanted = readNamedAttribute(input);
  const whileStopped =
    wanted.InstanceType?.Value !== undefined ||
    wanted.UserData !== undefined ||
    wanted.EbsOptimized !== undefined;
  if (whileStopped && instance.state !== "stopped") {
    throw new AwsError(
      "IncorrectInstanceState",
      `The instance '${instance.instanceId}' is not in the 'stopped' state.`,
    );
  }
  const changes: Partial<{ -readonly [Key in keyof InstanceRecord]: InstanceRecord[Key] }> = {};
  if (wanted.DisableApiTermination !== undefined)
    changes.disableApiTermination = wanted.DisableApiTermination.Value ?? false;
  if (wanted.DisableApiStop !== undefined) changes.disableApiStop = wanted.DisableApiStop.Value ?? false;
  if (wanted.SourceDestCheck !== undefined) changes.sourceDestCheck = wanted.SourceDestCheck.Value ?? true;
  if (wanted.EbsOptimized !== undefined) changes.ebsOptimized = wanted.EbsOptimized.Value ?? false;
  if (wanted.InstanceType?.Value !== undefined)
    changes.instanceType = findInstanceType(wanted.InstanceType.Value).name;
  if (wanted.UserData?.Value !== undefined)
    changes.userData = Buffer.from(wanted.UserData.Value).toString("base64");
  const behavior = wanted.InstanceInitiatedShutdownBehavior?.Value;
  if (behavior !== undefined) {
    if (behavior !== "stop" && behavior !== "terminate")
      throw invalidParameter(
        `Value (${behavior}) for parameter instanceInitiatedShutdownBehavior is invalid.`,
      );
    changes.shutdownBehavior = behavior;
  }
  if (wanted.Groups?.length) changes.securityGroupIds = wanted.Groups;
  return changes;
}

/** The older form `Attribute=name, Value=text` says the same for two attributes that scripts still set that way. */
function readNamedAttribute(input: ModifyInstanceAttributeCommandInput): ModifyInstanceAttributeCommandInput {
  if (input.Attribute === undefined) return input;
  if (input.Attribute === "disableApiTermination")
    return { ...input, DisableApiTermination: { Value: input.Value === "true" } };
  if (input.Attribute === "instanceInitiatedShutdownBehavior")
    return { ...input, InstanceInitiatedShutdownBehavior: { Value: input.Value } };
  if (input.Attribute === "instanceType") return { ...input, InstanceType: { Value: input.Value } };
  if (input.Attribute === "blockDeviceMapping" || input.Attribute === "groupSet") return input;
  throw invalidParameter(`Value (${input.Attribute}) for parameter attribute is invalid.`);
}

/** DeleteOnTermination of attached volumes. */
function keepVolumes(call: Call, input: ModifyInstanceAttributeCommandInput, instance: InstanceRecord): void {
  const attached = attachedVolumes(call, instance.instanceId, instance.rootDeviceName);
  for (const { DeviceName, Ebs } of input.BlockDeviceMappings ?? []) {
    const volume = attached.find((one) => one.attachment!.deviceName === DeviceName);
    if (volume?.attachment === undefined)
      throw invalidParameter(`No device is currently mapped at ${DeviceName}`);
    const deleteOnTermination = Ebs?.DeleteOnTermination ?? volume.attachment.deleteOnTermination;
    call.lab.ec2.tables.volumes.put(volume.volumeId, {
      ...volume,
      attachment: { ...volume.attachment, deleteOnTermination },
    });
  }
}
