import type { DescribeSnapshotsCommandInput, Snapshot } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { snapshotMissing } from "./find-snapshot.ts";
import type { SnapshotRecord } from "./snapshot-record.ts";

const filters: FilterTable<SnapshotRecord> = {
  "snapshot-id": (snapshot) => snapshot.snapshotId,
  "volume-id": (snapshot) => snapshot.volumeId,
  "volume-size": (snapshot) => String(snapshot.sizeGiB),
  description: (snapshot) => snapshot.description,
  encrypted: (snapshot) => String(snapshot.encrypted),
  "owner-id": (snapshot) => snapshot.accountId,
  progress,
  "start-time": (snapshot) => new Date(snapshot.startedAtMs).toISOString(),
  status: (snapshot) => snapshot.state,
  "storage-tier": () => "standard",
};

export function describeSnapshots(input: DescribeSnapshotsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeSnapshots");
  const named = selectRecords(call, call.lab.ec2.tables.snapshots, {
    named: input.SnapshotIds,
    missing: snapshotMissing,
  });
  const owners = input.OwnerIds?.map((owner) => (owner === "self" ? call.accountId : owner));
  const owned = owners?.length ? named.filter((snapshot) => owners.includes(snapshot.accountId)) : named;
  const page = pageRecords(
    filterRecords(owned, input.Filters, filters),
    input,
    (snapshot) => snapshot.snapshotId,
  );
  return { Snapshots: page.items.map(formatSnapshot), NextToken: page.NextToken };
}

function progress(snapshot: SnapshotRecord): string {
  return snapshot.state === "completed" ? "100%" : "0%";
}

export function formatSnapshot(snapshot: SnapshotRecord): Snapshot {
  return {
    SnapshotId: snapshot.snapshotId,
    VolumeId: snapshot.volumeId,
    VolumeSize: snapshot.sizeGiB,
    State: snapshot.state,
    StateMessage: snapshot.stateMessage,
    StartTime: new Date(snapshot.startedAtMs),
    CompletionTime: snapshot.completedAtMs === undefined ? undefined : new Date(snapshot.completedAtMs),
    Progress: progress(snapshot),
    OwnerId: snapshot.accountId,
    Description: snapshot.description,
    Encrypted: snapshot.encrypted,
    KmsKeyId: snapshot.kmsKeyId,
    FullSnapshotSizeInBytes: snapshot.fullSizeBytes,
    StorageTier: "standard",
    Tags: formatTags(snapshot.tags),
  };
}
