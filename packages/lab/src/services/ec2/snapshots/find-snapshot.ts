import type { AwsError } from "../../../wire/aws-error.ts";
import { checkIdForm, missingParameter } from "../shared/ec2-errors.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned, type Viewer } from "../shared/owned-records.ts";
import type { SnapshotRecord } from "./snapshot-record.ts";

export function findSnapshot(call: Viewer, snapshotId: string | undefined): SnapshotRecord {
  if (snapshotId === undefined) throw missingParameter("snapshotId");
  checkIdForm(snapshotId, "snap", "InvalidSnapshotID.Malformed");
  const snapshot = call.lab.ec2.tables.snapshots.get(snapshotId);
  if (!isOwned(call, snapshot)) throw snapshotMissing(snapshotId);
  return snapshot;
}

export function snapshotMissing(snapshotId: string): AwsError {
  return new MissingResource(
    "InvalidSnapshot.NotFound",
    `The snapshot '${snapshotId}' does not exist.`,
    snapshotId,
  );
}
