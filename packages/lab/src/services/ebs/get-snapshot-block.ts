import type { GetSnapshotBlockCommandInput } from "@aws-sdk/client-ebs";
import { blockBytes } from "../../disks/disk-blocks.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { validation } from "./ebs-errors.ts";
import { checkReadable, permitKey, permitSnapshot } from "./permit-snapshot.ts";
import { drawAccountQuota, drawSnapshotQuota } from "./quotas.ts";
import { checkBlockToken } from "./tokens.ts";

export async function getSnapshotBlock(input: GetSnapshotBlockCommandInput, call: Call): Promise<object> {
  const snapshot = permitSnapshot(call, "ebs:GetSnapshotBlock", input.SnapshotId);
  const { settings, disks } = call.lab.ec2;
  const { snapshotId } = snapshot;
  drawAccountQuota(call, "GetSnapshotBlock", settings.getBlockPerAccount);
  drawSnapshotQuota(call, "GetSnapshotBlock", { snapshotId, limit: settings.getBlockPerSnapshot });
  permitKey(call, snapshot, "kms:Decrypt");
  checkReadable(snapshot);
  const block = input.BlockIndex ?? 0;
  checkBlockToken(call.lab, input.BlockToken ?? "", { snapshotId, block });
  const memory = call.lab.buffers.take();
  call.whenAnswered(() => call.lab.buffers.giveBack(memory));
  const stored = await disks.snapshots.read(snapshotId, block, memory);
  if (stored === undefined) throw validation("INVALID_BLOCK", `The snapshot has no block ${block}.`);
  return {
    BlockData: stored.bytes,
    DataLength: blockBytes,
    Checksum: Buffer.from(stored.digest).toString("base64"),
    ChecksumAlgorithm: "SHA256",
  };
}
