import { CompleteSnapshotCommand, StartSnapshotCommand } from "@aws-sdk/client-ebs";
import type { DataClients } from "../data-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { toTagList, type Tags } from "./tags.ts";

/** AWS's own limit for the time between two writes; without it a lost restore would stay pending for ever. */
const timeoutMinutes = 60;

/** Starts an empty snapshot for blocks to be put into. The same token answers the same snapshot. */
export async function startRestoreSnapshot(
  clients: Pick<DataClients, "ebsControl">,
  request: {
    readonly sizeGiB: number;
    readonly description: string;
    readonly token: string;
    readonly tags: Tags;
    readonly encryption?: { readonly kmsKeyArn?: string };
  },
  call: AwsCall,
): Promise<{ readonly snapshotId: string }> {
  const { encryption } = request;
  const command = new StartSnapshotCommand({
    VolumeSize: request.sizeGiB,
    Description: request.description,
    ClientToken: request.token,
    Tags: toTagList(request.tags),
    Timeout: timeoutMinutes,
    ...(encryption === undefined ? {} : { Encrypted: true, KmsKeyArn: encryption.kmsKeyArn }),
  });
  const answer = await namedCall(
    `starting a snapshot of ${request.sizeGiB} GiB`,
    clients.ebsControl().send(command, { abortSignal: call.signal }),
  );
  return { snapshotId: answer.SnapshotId ?? "" };
}

/** Says that all blocks are there; EBS compares the count and the checksum over them with what it got. */
export async function completeRestoreSnapshot(
  clients: Pick<DataClients, "ebsControl">,
  request: { readonly snapshotId: string; readonly blocks: number; readonly linearChecksum: string },
  call: AwsCall,
): Promise<void> {
  const command = new CompleteSnapshotCommand({
    SnapshotId: request.snapshotId,
    ChangedBlocksCount: request.blocks,
    Checksum: request.linearChecksum,
    ChecksumAlgorithm: "SHA256",
    ChecksumAggregationMethod: "LINEAR",
  });
  await namedCall(
    `completing ${request.snapshotId}`,
    clients.ebsControl().send(command, { abortSignal: call.signal }),
  );
}
