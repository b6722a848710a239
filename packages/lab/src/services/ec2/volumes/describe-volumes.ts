import type { DescribeVolumesCommandInput, Volume, VolumeAttachment } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { volumeMissing } from "./find-volume.ts";
import type { AttachmentRecord, VolumeRecord } from "./volume-record.ts";

const filters: FilterTable<VolumeRecord> = {
  "volume-id": (volume) => volume.volumeId,
  "availability-zone": (volume) => volume.zone,
  "create-time": (volume) => new Date(volume.createdAtMs).toISOString(),
  encrypted: (volume) => String(volume.encrypted),
  size: (volume) => String(volume.sizeGiB),
  "snapshot-id": (volume) => volume.snapshotId ?? "",
  status: (volume) => volume.state,
  "volume-type": (volume) => volume.volumeType,
  "attachment.instance-id": (volume) => volume.attachment?.instanceId,
  "attachment.device": (volume) => volume.attachment?.deviceName,
  "attachment.status": (volume) => volume.attachment?.state,
  "attachment.delete-on-termination": (volume) =>
    volume.attachment === undefined ? undefined : String(volume.attachment.deleteOnTermination),
};

export function describeVolumes(input: DescribeVolumesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeVolumes");
  const named = selectRecords(call, call.lab.ec2.tables.volumes, {
    named: input.VolumeIds,
    missing: volumeMissing,
  });
  const page = pageRecords(filterRecords(named, input.Filters, filters), input, (volume) => volume.volumeId);
  return { Volumes: page.items.map(formatVolume), NextToken: page.NextToken };
}

export function formatVolume(volume: VolumeRecord): Volume {
  return {
    VolumeId: volume.volumeId,
    Size: volume.sizeGiB,
    SnapshotId: volume.snapshotId ?? "",
    AvailabilityZone: volume.zone,
    State: volume.state,
    CreateTime: new Date(volume.createdAtMs),
    VolumeType: volume.volumeType,
    Iops: volume.iops,
    Throughput: volume.throughput,
    Encrypted: volume.encrypted,
    KmsKeyId: volume.kmsKeyId,
    MultiAttachEnabled: false,
    Attachments:
      volume.attachment === undefined ? [] : [formatAttachment(volume.volumeId, volume.attachment)],
    Tags: formatTags(volume.tags),
  };
}

export function formatAttachment(volumeId: string, attachment: AttachmentRecord): VolumeAttachment {
  return {
    VolumeId: volumeId,
    InstanceId: attachment.instanceId,
    Device: attachment.deviceName,
    State: attachment.state,
    AttachTime: new Date(attachment.attachedAtMs),
    DeleteOnTermination: attachment.deleteOnTermination,
  };
}
