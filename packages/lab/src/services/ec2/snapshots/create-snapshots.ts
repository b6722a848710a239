import type { CreateSnapshotCommandInput, CreateSnapshotsCommandInput } from "@aws-sdk/client-ec2";
import { forEachConcurrent } from "@garrison/core/map-concurrent";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { findInstance } from "../instances/find-instance.ts";
import { incorrectState, invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { ec2Arn, instanceAccess, newSnapshotAccess, volumeAccess } from "../shared/resource-access.ts";
import {
  checkTagCount,
  requestTagContext,
  tagOnCreate,
  tagsFor,
  type Tags,
} from "../tags/tag-specifications.ts";
import { attachedVolumes, findVolume } from "../volumes/find-volume.ts";
import type { VolumeRecord } from "../volumes/volume-record.ts";
import { formatSnapshot } from "./describe-snapshots.ts";
import { captureSnapshot, failSnapshot, noteSnapshot } from "./make-snapshot.ts";

const concurrentPerVolume = 5;

export async function createSnapshot(input: CreateSnapshotCommandInput, call: Call): Promise<object> {
  const volume = findVolume(call, input.VolumeId);
  const tags = tagsFor(input.TagSpecifications, "snapshot");
  const created = newSnapshot(call, volume);
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateSnapshot",
      resources: [created, volumeAccess(call, volume)],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CreateSnapshot", { resource: created, tags }),
  ]);
  checkCanSnapshot(call, volume);
  const record = noteSnapshot(call.lab, volume, { description: input.Description ?? "", tags });
  await captureSnapshot(call.lab, record);
  return formatSnapshot(record);
}

/** Crash-consistent across the instance's volumes; one that fails takes the others with it. */
export async function createSnapshots(input: CreateSnapshotsCommandInput, call: Call): Promise<object> {
  const specification = input.InstanceSpecification;
  if (specification?.InstanceId === undefined) throw missingParameter("instanceSpecification");
  const instance = findInstance(call, specification.InstanceId);
  const volumes = chosenVolumes(call, input);
  const tags = tagsFor(input.TagSpecifications, "snapshot");
  const context = requestTagContext(tags);
  permit(call, input.DryRun, [
    { action: "ec2:CreateSnapshots", resources: [instanceAccess(call, instance)], context },
    ...volumes.flatMap((volume) => [
      {
        action: "ec2:CreateSnapshots",
        resources: [volumeAccess(call, volume), newSnapshot(call, volume)],
        context,
      },
      ...tagOnCreate(call, "CreateSnapshots", {
        resource: newSnapshot(call, volume),
        tags: snapshotTags(input, volume, tags),
      }),
    ]),
  ]);
  for (const volume of volumes) checkCanSnapshot(call, volume);
  const { lab } = call;
  const records = volumes.map((volume) =>
    noteSnapshot(lab, volume, {
      description: input.Description ?? "",
      tags: snapshotTags(input, volume, tags),
    }),
  );
  const captures = { concurrency: 2, signal: lab.stopping };
  await forEachConcurrent(records, captures, (record) => captureSnapshot(lab, record));
  const failed = records.some((record) => lab.ec2.tables.snapshots.get(record.snapshotId)?.state === "error");
  if (failed)
    for (const record of records) failSnapshot(lab, record.snapshotId, "Another snapshot of the set failed");
  return {
    Snapshots: records.map((record) => {
      const { State, CompletionTime: _unfinished, ...rest } = formatSnapshot(record);
      return { ...rest, State };
    }),
  };
}

function chosenVolumes(call: Call, input: CreateSnapshotsCommandInput): VolumeRecord[] {
  const { InstanceId, ExcludeBootVolume, ExcludeDataVolumeIds: excluded = [] } = input.InstanceSpecification!;
  const instance = findInstance(call, InstanceId);
  const all = attachedVolumes(call, instance.instanceId, instance.rootDeviceName);
  const isRoot = (volume: VolumeRecord): boolean => volume.attachment!.deviceName === instance.rootDeviceName;
  for (const id of excluded) {
    const volume = all.find((one) => one.volumeId === id);
    if (volume === undefined)
      throw invalidParameter(`Volume ${id} is not attached to the instance ${instance.instanceId}`);
    if (isRoot(volume))
      throw invalidParameter("ExcludeDataVolumeIds must not contain the boot volume; use ExcludeBootVolume.");
  }
  const chosen = all.filter(
    (volume) => !excluded.includes(volume.volumeId) && !(ExcludeBootVolume === true && isRoot(volume)),
  );
  if (chosen.length === 0) throw invalidParameter("No volumes to snapshot are left.");
  return chosen;
}

function snapshotTags(input: CreateSnapshotsCommandInput, volume: VolumeRecord, tags: Tags): Tags {
  if (input.CopyTagsFromSource !== "volume") return tags;
  const copied = Object.entries(volume.tags).filter(([key]) => !key.startsWith("aws:"));
  const all = { ...Object.fromEntries(copied), ...tags };
  checkTagCount(all);
  return all;
}

function newSnapshot(call: Call, volume: VolumeRecord) {
  return newSnapshotAccess(call, {
    "ec2:ParentVolume": ec2Arn(call, { accountId: volume.accountId, path: `volume/${volume.volumeId}` }),
    "ec2:SourceAvailabilityZone": volume.zone,
    "ec2:VolumeSize": String(volume.sizeGiB),
    "ec2:Encrypted": String(volume.encrypted),
  });
}

function checkCanSnapshot(call: Call, volume: VolumeRecord): void {
  if (volume.state !== "available" && volume.state !== "in-use")
    throw incorrectState("volume", volume.volumeId, volume.state);
  const pending = [...call.lab.ec2.tables.snapshots.values()].filter(
    (snapshot) => snapshot.volumeId === volume.volumeId && snapshot.state === "pending",
  );
  if (pending.length >= concurrentPerVolume) {
    throw new AwsError(
      "ConcurrentSnapshotLimitExceeded",
      `Maximum allowed in-progress snapshots for a single volume exceeded.`,
    );
  }
}
