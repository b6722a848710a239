import type { CreateVolumeCommandInput, DeleteVolumeCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { zoneLetters } from "../networks/default-network.ts";
import { zoneId } from "../networks/describe-networks.ts";
import { openClientToken } from "../shared/client-tokens.ts";
import { incorrectState, invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { snapshotAccess, volumeAccess } from "../shared/resource-access.ts";
import { findSnapshot } from "../snapshots/find-snapshot.ts";
import { requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { formatVolume } from "./describe-volumes.ts";
import { chooseEncryption } from "./ebs-encryption.ts";
import { findVolume } from "./find-volume.ts";
import { fillVolume, noteVolume, removeVolume, type NewVolume } from "./make-volume.ts";
import { mayCreateWithKey } from "./volume-key.ts";
import { shapeVolume } from "./volume-shape.ts";

export function createVolume(input: CreateVolumeCommandInput, call: Call): object {
  const volume = readNewVolume(input, call);
  const created = volumeAccess(call, volume);
  const source =
    volume.snapshotId === undefined ? [] : [snapshotAccess(call, findSnapshot(call, volume.snapshotId))];
  permit(call, input.DryRun, [
    { action: "ec2:CreateVolume", resources: [created, ...source], context: requestTagContext(volume.tags) },
    ...tagOnCreate(call, "CreateVolume", { resource: created, tags: volume.tags }),
  ]);
  const { lab } = call;
  const tokened = openClientToken(call, "CreateVolume", input);
  const earlier = tokened.earlierIds?.[0];
  if (earlier !== undefined) return formatVolume(findVolume(call, earlier));
  const record = noteVolume(lab, volume);
  const usable = mayCreateWithKey(call, volume);
  tokened.remember([record.volumeId]);
  if (usable) lab.ec2.later(0, () => fillVolume(lab, record));
  else lab.ec2.later(lab.ec2.settings.transitionMs, () => removeVolume(lab, record.volumeId));
  return formatVolume(record);
}

export async function deleteVolume(input: DeleteVolumeCommandInput, call: Call): Promise<object> {
  const volume = findVolume(call, input.VolumeId);
  permit(call, input.DryRun, [{ action: "ec2:DeleteVolume", resources: [volumeAccess(call, volume)] }]);
  if (volume.attachment !== undefined) {
    throw new AwsError(
      "VolumeInUse",
      `Volume ${volume.volumeId} is currently attached to ${volume.attachment.instanceId}`,
    );
  }
  if (volume.state === "creating") throw incorrectState("volume", volume.volumeId, volume.state);
  await removeVolume(call.lab, volume.volumeId);
  return {};
}

function readNewVolume(input: CreateVolumeCommandInput, call: Call): NewVolume {
  const { accountId, region } = call;
  const source = input.SnapshotId === undefined ? undefined : findSnapshot(call, input.SnapshotId);
  if (source !== undefined && source.state !== "completed")
    throw incorrectState("snapshot", source.snapshotId, source.state);
  const sizeGiB = input.Size ?? source?.sizeGiB;
  if (sizeGiB === undefined) throw missingParameter("size/snapshot");
  if (source !== undefined && sizeGiB < source.sizeGiB) {
    throw invalidParameter(
      `The volume size is invalid: it must be at least the snapshot's, ${source.sizeGiB}GiB`,
    );
  }
  return {
    accountId,
    region,
    zone: readZone(input, call),
    ...shapeVolume({ sizeGiB, volumeType: input.VolumeType, iops: input.Iops, throughput: input.Throughput }),
    ...chooseEncryption(call, input, source),
    ...(source === undefined ? {} : { snapshotId: source.snapshotId }),
    tags: tagsFor(input.TagSpecifications, "volume"),
  };
}

function readZone(input: CreateVolumeCommandInput, call: Call): string {
  const wanted = input.AvailabilityZone ?? input.AvailabilityZoneId;
  if (wanted === undefined) throw missingParameter("AvailabilityZone");
  const zone = zoneLetters
    .map((letter) => `${call.region}${letter}`)
    .find((one) => one === wanted || zoneId(one) === wanted);
  if (zone === undefined) throw new AwsError("InvalidZone.NotFound", `The zone '${wanted}' does not exist.`);
  return zone;
}
