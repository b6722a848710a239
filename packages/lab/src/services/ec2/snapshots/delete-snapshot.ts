import type { CopySnapshotCommandInput, DeleteSnapshotCommandInput } from "@aws-sdk/client-ec2";
import { GiB } from "@garrison/core/units";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { incorrectState, invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { permit } from "../shared/permit.ts";
import { newSnapshotAccess, snapshotAccess } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { chooseEncryption } from "../volumes/ebs-encryption.ts";
import { mayCreateWithKey } from "../volumes/volume-key.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { completeSnapshot, removeSnapshot } from "./make-snapshot.ts";
import { noVolumeId, type SnapshotRecord } from "./snapshot-record.ts";

export async function deleteSnapshot(input: DeleteSnapshotCommandInput, call: Call): Promise<object> {
  const snapshot = findSnapshot(call, input.SnapshotId);
  permit(call, input.DryRun, [{ action: "ec2:DeleteSnapshot", resources: [snapshotAccess(call, snapshot)] }]);
  const { snapshotId } = snapshot;
  const image = [...call.lab.ec2.tables.images.values()].find((one) =>
    one.mappings.some((mapping) => mapping.snapshotId === snapshotId),
  );
  if (image !== undefined) {
    throw new AwsError(
      "InvalidSnapshot.InUse",
      `The snapshot ${snapshotId} is currently in use by ${image.imageId}`,
    );
  }
  const child = [...call.lab.ec2.tables.snapshots.values()].find(
    (one) => one.state === "pending" && one.direct?.parentSnapshotId === snapshotId,
  );
  if (child !== undefined) {
    throw new AwsError(
      "InvalidSnapshot.InUse",
      `The snapshot ${snapshotId} is the parent of ${child.snapshotId}, which is being written`,
    );
  }
  await removeSnapshot(call.lab, snapshotId);
  return {};
}

/** Within an account; between Regions of the lab the bytes are shared. The copy starts a lineage of its own. */
export async function copySnapshot(input: CopySnapshotCommandInput, call: Call): Promise<object> {
  if (input.SourceSnapshotId === undefined) throw missingParameter("sourceSnapshotId");
  if (input.SourceRegion === undefined) throw missingParameter("sourceRegion");
  const source = findSnapshot(
    { lab: call.lab, accountId: call.accountId, region: input.SourceRegion },
    input.SourceSnapshotId,
  );
  const tags = tagsFor(input.TagSpecifications, "snapshot");
  const created = newSnapshotAccess(call);
  permit(call, input.DryRun, [
    {
      action: "ec2:CopySnapshot",
      resources: [created, snapshotAccess(call, source)],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CopySnapshot", { resource: created, tags }),
  ]);
  if (source.state !== "completed") throw incorrectState("snapshot", source.snapshotId, source.state);
  if (input.KmsKeyId !== undefined && input.Encrypted !== true) {
    throw invalidParameter("The parameter KmsKeyId requires the parameter Encrypted to be set.");
  }
  const { lab } = call;
  const snapshotId = newResourceId(lab.random, "snap");
  const record: SnapshotRecord = {
    snapshotId,
    accountId: call.accountId,
    region: call.region,
    volumeId: noVolumeId,
    lineage: snapshotId,
    sizeGiB: source.sizeGiB,
    state: "pending",
    startedAtMs: lab.clock.now(),
    description: input.Description ?? "",
    ...chooseEncryption(call, input, source),
    tags,
  };
  if (!mayCreateWithKey(call, record)) {
    lab.ec2.tables.snapshots.put(snapshotId, {
      ...record,
      state: "error",
      stateMessage: "Given key ID is not accessible",
    });
    return { SnapshotId: snapshotId, Tags: formatTags(tags) };
  }
  await lab.ec2.disks.snapshots.copy(
    { snapshotId, lineage: snapshotId, sizeBytes: source.sizeGiB * GiB },
    source.snapshotId,
  );
  lab.ec2.tables.snapshots.put(snapshotId, record);
  lab.ec2.later(lab.ec2.settings.snapshotMs, () => completeSnapshot(lab, snapshotId));
  return { SnapshotId: snapshotId, Tags: formatTags(tags) };
}
