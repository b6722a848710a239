import {
  CreateSnapshotsCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  paginateDescribeSnapshots,
} from "@aws-sdk/client-ec2";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { GiB } from "@garrison/core/units";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { fromTagList, toTagList, type Tags } from "./tags.ts";

export interface SnapshotState {
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly sizeBytes: number;
  readonly state: "pending" | "completed" | "error" | string;
  readonly progress?: string;
  readonly message?: string;
  readonly tags: Tags;
}

/**
 * Snapshots all volumes of an instance at the same moment (crash-consistent). The call knows no client token: whoever
 * repeats it looks for the snapshots by their tags first.
 */
export async function createInstanceSnapshots(
  clients: AwsClients,
  request: { readonly instanceId: string; readonly description: string; readonly tags: Tags },
  call: AwsCall,
): Promise<readonly SnapshotState[]> {
  const command = new CreateSnapshotsCommand({
    InstanceSpecification: { InstanceId: request.instanceId },
    Description: request.description,
    TagSpecifications: [{ ResourceType: "snapshot", Tags: toTagList(request.tags) }],
  });
  const answer = await namedCall(
    `taking snapshots of ${request.instanceId}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return (answer.Snapshots ?? []).map((snapshot) => ({
    snapshotId: snapshot.SnapshotId ?? "",
    volumeId: snapshot.VolumeId ?? "",
    sizeBytes: (snapshot.VolumeSize ?? 0) * GiB,
    state: snapshot.State ?? "pending",
    tags: fromTagList(snapshot.Tags),
  }));
}

/** Own snapshots that carry all of these tags. */
export async function findSnapshotsByTags(
  clients: AwsClients,
  tags: Tags,
  call: AwsCall,
): Promise<readonly SnapshotState[]> {
  const filters = Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
  const reading = async () => {
    const found: SnapshotState[] = [];
    const input = { OwnerIds: ["self"], Filters: filters };
    for await (const page of paginateDescribeSnapshots({ client: clients.ec2() }, input, {
      abortSignal: call.signal,
    })) {
      found.push(...(page.Snapshots ?? []).map(toState));
    }
    return found;
  };
  return namedCall("looking for snapshots by their tags", reading());
}

/** The states of those of the snapshots that exist. */
export async function readSnapshots(
  clients: AwsClients,
  snapshotIds: readonly string[],
  call: AwsCall,
): Promise<readonly SnapshotState[]> {
  if (snapshotIds.length === 0) return [];
  const command = new DescribeSnapshotsCommand({
    OwnerIds: ["self"],
    // A filter, not SnapshotIds: that would fail as a whole when one of them is gone.
    Filters: [{ Name: "snapshot-id", Values: [...snapshotIds] }],
  });
  const answer = await namedCall(
    `describing ${snapshotIds.join(", ")}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return (answer.Snapshots ?? []).map(toState);
}

/** Deleting one that is gone is no error. */
export async function deleteSnapshot(clients: AwsClients, snapshotId: string, call: AwsCall): Promise<void> {
  const command = new DeleteSnapshotCommand({ SnapshotId: snapshotId });
  try {
    await namedCall(`deleting ${snapshotId}`, clients.ec2().send(command, { abortSignal: call.signal }));
  } catch (error) {
    if (!isGarrisonError(error, "aws-not-found")) throw error;
  }
}

function toState(snapshot: {
  readonly SnapshotId?: string;
  readonly VolumeId?: string;
  readonly VolumeSize?: number;
  readonly State?: string;
  readonly Progress?: string;
  readonly StateMessage?: string;
  readonly Tags?: { Key?: string; Value?: string }[];
}): SnapshotState {
  return {
    snapshotId: snapshot.SnapshotId ?? "",
    volumeId: snapshot.VolumeId ?? "",
    sizeBytes: (snapshot.VolumeSize ?? 0) * GiB,
    state: snapshot.State ?? "pending",
    ...(snapshot.Progress === undefined ? {} : { progress: snapshot.Progress }),
    ...(snapshot.StateMessage === undefined ? {} : { message: snapshot.StateMessage }),
    tags: fromTagList(snapshot.Tags),
  };
}
