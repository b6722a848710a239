import type { CompleteSnapshotCommandInput, PutSnapshotBlockCommandInput } from "@aws-sdk/client-ebs";
import { GiB, minuteMs } from "@garrison/core/units";
import { blockBytes, blockCount } from "../../disks/disk-blocks.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { readBody } from "../../wire/read-body.ts";
import { contentDigest } from "../../wire/request-body.ts";
import { completeSnapshot as finishSnapshot } from "../ec2/snapshots/make-snapshot.ts";
import type { SnapshotRecord } from "../ec2/snapshots/snapshot-record.ts";
import { validation } from "./ebs-errors.ts";
import { permitKey, permitSnapshot } from "./permit-snapshot.ts";
import { drawAccountQuota, drawSnapshotQuota } from "./quotas.ts";

export async function putSnapshotBlock(input: PutSnapshotBlockCommandInput, call: Call): Promise<object> {
  const snapshot = permitSnapshot(call, "ebs:PutSnapshotBlock", input.SnapshotId);
  const { settings, disks, tables } = call.lab.ec2;
  const { snapshotId } = snapshot;
  drawAccountQuota(call, "PutSnapshotBlock", settings.putBlockPerAccount);
  drawSnapshotQuota(call, "PutSnapshotBlock", { snapshotId, limit: settings.putBlockPerSnapshot });
  permitKey(call, snapshot, "kms:GenerateDataKeyWithoutPlaintext");
  checkWritable(call, snapshot);
  const block = checkBlock(input, snapshot);
  const bytes = await readBody(input.BlockData);
  if (bytes.length !== blockBytes) throw validation("INVALID_CONTENT_ENCODING", "Failed to read block data");
  const digest = contentDigest(bytes);
  const checksum = digest.toString("base64");
  if (checksum !== input.Checksum) {
    throw validation("INVALID_BLOCK", `The checksum of block ${block} does not match its data.`);
  }
  await disks.snapshots.put(snapshotId, block, { bytes, digest });
  noteWrite(call, snapshot.snapshotId);
  // A snapshot that was deleted or cancelled while the block came in took no note of it.
  if (!tables.snapshots.has(snapshotId))
    throw validation("INVALID_SNAPSHOT_ID", "The snapshot is no longer pending.");
  return { Checksum: checksum, ChecksumAlgorithm: "SHA256" };
}

export async function completeSnapshot(input: CompleteSnapshotCommandInput, call: Call): Promise<object> {
  const snapshot = permitSnapshot(call, "ebs:CompleteSnapshot", input.SnapshotId);
  const { settings, disks } = call.lab.ec2;
  const { snapshotId, lineage } = snapshot;
  drawAccountQuota(call, "CompleteSnapshot", settings.startSnapshotPerAccount);
  // Saying it twice is fine while the first is still being worked on.
  if (snapshot.direct !== undefined && disks.snapshots.has(snapshotId)) return { Status: snapshot.state };
  checkWritable(call, snapshot);
  checkWhole(call, input, snapshot);
  const header = { snapshotId, lineage, sizeBytes: snapshot.sizeGiB * GiB };
  await disks.snapshots.complete(header, snapshot.direct?.parentSnapshotId);
  call.lab.ec2.later(settings.snapshotMs, () => finishSnapshot(call.lab, snapshotId));
  return { Status: "pending" };
}

/** It is still shown as pending for a moment after CompleteSnapshot, but no longer written. */
function checkWritable(call: Call, snapshot: SnapshotRecord): void {
  const isWhole = call.lab.ec2.disks.snapshots.has(snapshot.snapshotId);
  if (snapshot.state === "pending" && snapshot.direct !== undefined && !isWhole) return;
  throw validation(
    "INVALID_SNAPSHOT_ID",
    `The snapshot '${snapshot.snapshotId}' can't be written: it is not pending, or wasn't begun by StartSnapshot.`,
  );
}

function checkBlock(input: PutSnapshotBlockCommandInput, snapshot: SnapshotRecord): number {
  const block = input.BlockIndex ?? -1;
  const count = blockCount(snapshot.sizeGiB * GiB);
  if (block < 0 || block >= count)
    throw validation("INVALID_BLOCK", `The volume has blocks 0 to ${count - 1}.`);
  if (input.DataLength !== blockBytes) throw validation(undefined, `The data length must be ${blockBytes}.`);
  if (input.ChecksumAlgorithm !== "SHA256")
    throw validation(undefined, "The checksum algorithm must be SHA256.");
  const progress = input.Progress ?? 0;
  if (progress < 0 || progress > 100) throw validation(undefined, "Progress must be between 0 and 100.");
  return block;
}

/** What the caller says it wrote must be what arrived. */
function checkWhole(call: Call, input: CompleteSnapshotCommandInput, snapshot: SnapshotRecord): void {
  const { snapshots } = call.lab.ec2.disks;
  const written = snapshots.pendingCount(snapshot.snapshotId);
  if (input.ChangedBlocksCount !== written) {
    throw validation(
      undefined,
      `ChangedBlocksCount is ${input.ChangedBlocksCount}, but ${written} blocks were written.`,
    );
  }
  if (input.Checksum === undefined) return;
  if (input.ChecksumAlgorithm !== "SHA256" || input.ChecksumAggregationMethod !== "LINEAR") {
    throw validation(undefined, "A checksum needs the algorithm SHA256 and the aggregation method LINEAR.");
  }
  if (snapshots.pendingDigest(snapshot.snapshotId).toString("base64") === input.Checksum) return;
  throw validation(undefined, "The checksum does not match the blocks that were written.");
}

/** Keeps the time-out away, at most once a minute: it is counted in minutes. */
function noteWrite(call: Call, snapshotId: string): void {
  const { snapshots } = call.lab.ec2.tables;
  const current = snapshots.get(snapshotId);
  const now = call.lab.clock.now();
  if (current?.direct === undefined || now - current.direct.lastWriteAtMs < minuteMs) return;
  snapshots.put(snapshotId, { ...current, direct: { ...current.direct, lastWriteAtMs: now } });
}
