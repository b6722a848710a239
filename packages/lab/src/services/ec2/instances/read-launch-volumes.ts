import type { BlockDeviceMapping, EbsBlockDevice, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import type { ImageMapping, ImageRecord } from "../images/image-record.ts";
import { incorrectState, missingParameter } from "../shared/ec2-errors.ts";
import { isOwned } from "../shared/owned-records.ts";
import { findSnapshot } from "../snapshots/find-snapshot.ts";
import type { SnapshotRecord } from "../snapshots/snapshot-record.ts";
import type { Tags } from "../tags/tag-specifications.ts";
import { chooseEncryption } from "../volumes/ebs-encryption.ts";
import { shapeVolume } from "../volumes/volume-shape.ts";
import type { PlannedVolume } from "./launch-plan.ts";

interface Disks {
  readonly image: ImageRecord;
  readonly zone: string;
  readonly tags: Tags;
}

/** The image's disks with the call's mappings on top: changed, left out (`NoDevice`) or added by device name. */
export function readLaunchVolumes(
  input: RunInstancesCommandInput,
  call: Call,
  disks: Disks,
): PlannedVolume[] {
  const wanted = new Map(
    (input.BlockDeviceMappings ?? []).map((mapping) => [mapping.DeviceName ?? "", mapping]),
  );
  if (wanted.has("")) throw missingParameter("deviceName");
  const fromImage = disks.image.mappings
    .filter((mapping) => wanted.get(mapping.deviceName)?.NoDevice === undefined)
    .map((mapping) => planVolume(call, { ...disks, mapping, wanted: wanted.get(mapping.deviceName) }));
  const known = new Set(disks.image.mappings.map((mapping) => mapping.deviceName));
  const added = [...wanted.values()].filter(
    (mapping) =>
      !known.has(mapping.DeviceName!) && mapping.NoDevice === undefined && mapping.VirtualName === undefined,
  );
  return [...fromImage, ...added.map((mapping) => planVolume(call, { ...disks, wanted: mapping }))];
}

function planVolume(
  call: Call,
  from: Disks & { readonly mapping?: ImageMapping; readonly wanted: BlockDeviceMapping | undefined },
): PlannedVolume {
  const { mapping } = from;
  const ebs: EbsBlockDevice = from.wanted?.Ebs ?? {};
  const snapshotId = ebs.SnapshotId ?? mapping?.snapshotId;
  const source = findSource(call, from, snapshotId);
  const sizeGiB = ebs.VolumeSize ?? mapping?.sizeGiB ?? source?.sizeGiB;
  if (sizeGiB === undefined) throw missingParameter("volumeSize");
  const smallest = source?.sizeGiB ?? mapping?.sizeGiB ?? 0;
  if (sizeGiB < smallest) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `Volume of size ${sizeGiB}GB is smaller than snapshot '${snapshotId}', expect size >= ${smallest}GB`,
    );
  }
  const volumeType = ebs.VolumeType ?? mapping?.volumeType;
  const sameType = volumeType === mapping?.volumeType;
  return {
    deviceName: mapping?.deviceName ?? from.wanted!.DeviceName!,
    deleteOnTermination: ebs.DeleteOnTermination ?? mapping?.deleteOnTermination ?? true,
    volume: {
      accountId: call.accountId,
      region: call.region,
      zone: from.zone,
      ...shapeVolume({
        sizeGiB,
        volumeType,
        iops: ebs.Iops ?? (sameType ? mapping?.iops : undefined),
        throughput: ebs.Throughput ?? (sameType ? mapping?.throughput : undefined),
      }),
      ...chooseEncryption(
        call,
        ebs,
        source ?? (mapping?.encrypted === true ? { encrypted: true } : undefined),
      ),
      ...(snapshotId === undefined ? {} : { snapshotId }),
      tags: from.tags,
    },
  };
}

/** A public image's snapshot belongs to someone else: it is used, but not looked at. */
function findSource(call: Call, from: Disks, snapshotId: string | undefined): SnapshotRecord | undefined {
  if (snapshotId === undefined) return undefined;
  const own = call.lab.ec2.tables.snapshots.get(snapshotId);
  const isImages = from.image.mappings.some((mapping) => mapping.snapshotId === snapshotId);
  if (isImages && !isOwned(call, own)) return undefined;
  const source = findSnapshot(call, snapshotId);
  if (source.state !== "completed") throw incorrectState("snapshot", snapshotId, source.state);
  return source;
}
