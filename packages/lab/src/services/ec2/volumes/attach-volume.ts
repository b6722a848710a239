import type { AttachVolumeCommandInput, DetachVolumeCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { findInstance } from "../instances/find-instance.ts";
import { incorrectState, invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { instanceAccess, volumeAccess } from "../shared/resource-access.ts";
import { formatAttachment } from "./describe-volumes.ts";
import { attachedVolumes, findVolume } from "./find-volume.ts";
import type { AttachmentRecord, VolumeRecord } from "./volume-record.ts";

const volumesPerInstance = 28;

export function attachVolume(input: AttachVolumeCommandInput, call: Call): object {
  const volume = findVolume(call, input.VolumeId);
  const instance = findInstance(call, input.InstanceId);
  if (input.Device === undefined) throw missingParameter("device");
  permit(call, input.DryRun, [
    { action: "ec2:AttachVolume", resources: [instanceAccess(call, instance), volumeAccess(call, volume)] },
  ]);
  if (volume.zone !== instance.zone) {
    throw new AwsError(
      "InvalidVolume.ZoneMismatch",
      `The volume '${volume.volumeId}' is not in the same availability zone as instance '${instance.instanceId}'`,
    );
  }
  if (volume.attachment !== undefined)
    throw new AwsError("VolumeInUse", `${volume.volumeId} is already attached to an instance`);
  if (volume.state !== "available") throw incorrectState("volume", volume.volumeId, volume.state);
  if (instance.state !== "running" && instance.state !== "stopped")
    throw incorrectState("instance", instance.instanceId, instance.state);
  const others = attachedVolumes(call, instance.instanceId, instance.rootDeviceName);
  if (others.some((other) => other.attachment!.deviceName === input.Device)) {
    throw invalidParameter(
      `Invalid value '${input.Device}' for unixDevice. Attachment point ${input.Device} is already in use`,
    );
  }
  if (others.length >= volumesPerInstance)
    throw new AwsError(
      "AttachmentLimitExceeded",
      `The instance already has ${volumesPerInstance} volumes attached.`,
    );
  const attachment: AttachmentRecord = {
    instanceId: instance.instanceId,
    deviceName: input.Device,
    state: "attaching",
    deleteOnTermination: false,
    attachedAtMs: call.lab.clock.now(),
  };
  const { volumes } = call.lab.ec2.tables;
  volumes.put(volume.volumeId, { ...volume, state: "in-use", attachment });
  afterwards(call, volume.volumeId, (current) => ({
    ...current,
    attachment: { ...attachment, state: "attached" },
  }));
  return formatAttachment(volume.volumeId, attachment);
}

export function detachVolume(input: DetachVolumeCommandInput, call: Call): object {
  const volume = findVolume(call, input.VolumeId);
  const { attachment } = volume;
  const instance = findInstance(call, input.InstanceId ?? attachment?.instanceId ?? "i-00000000");
  permit(call, input.DryRun, [
    { action: "ec2:DetachVolume", resources: [instanceAccess(call, instance), volumeAccess(call, volume)] },
  ]);
  if (attachment === undefined || attachment.instanceId !== instance.instanceId) {
    throw new AwsError("IncorrectState", `Volume '${volume.volumeId}' is in the 'available' state.`);
  }
  if (attachment.deviceName === instance.rootDeviceName && instance.state !== "stopped") {
    throw new AwsError("OperationNotPermitted", "Unable to detach root volume from a running instance");
  }
  const detaching: AttachmentRecord = { ...attachment, state: "detaching" };
  call.lab.ec2.tables.volumes.put(volume.volumeId, { ...volume, attachment: detaching });
  afterwards(call, volume.volumeId, ({ attachment: _gone, ...current }) => ({
    ...current,
    state: "available",
  }));
  return formatAttachment(volume.volumeId, detaching);
}

function afterwards(call: Call, volumeId: string, change: (current: VolumeRecord) => VolumeRecord): void {
  const { ec2 } = call.lab;
  ec2.later(ec2.settings.transitionMs, () => {
    const current = ec2.tables.volumes.get(volumeId);
    if (current !== undefined) ec2.tables.volumes.put(volumeId, change(current));
  });
}
