import type { Call } from "../../../wire/operation-handler.ts";
import type { AwsError } from "../../../wire/aws-error.ts";
import { checkIdForm, missingParameter } from "../shared/ec2-errors.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned } from "../shared/owned-records.ts";
import type { VolumeRecord } from "./volume-record.ts";

export function findVolume(call: Call, volumeId: string | undefined): VolumeRecord {
  if (volumeId === undefined) throw missingParameter("volumeId");
  checkIdForm(volumeId, "vol", "InvalidParameterValue");
  const volume = call.lab.ec2.tables.volumes.get(volumeId);
  if (!isOwned(call, volume)) throw volumeMissing(volumeId);
  return volume;
}

export function volumeMissing(volumeId: string): AwsError {
  return new MissingResource("InvalidVolume.NotFound", `The volume '${volumeId}' does not exist.`, volumeId);
}

/** The volumes attached to an instance, root first, then by device name. */
export function attachedVolumes(
  call: Pick<Call, "lab">,
  instanceId: string,
  rootDeviceName: string,
): VolumeRecord[] {
  const rank = (volume: VolumeRecord): string => {
    const name = volume.attachment!.deviceName;
    return name === rootDeviceName ? "" : name;
  };
  return [...call.lab.ec2.tables.volumes.values()]
    .filter((volume) => volume.attachment?.instanceId === instanceId)
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
