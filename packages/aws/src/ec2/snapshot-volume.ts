import { CreateVolumeCommand, DeleteVolumeCommand, waitUntilVolumeAvailable } from "@aws-sdk/client-ec2";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { toTagList, type Tags } from "./tags.ts";

export interface SnapshotVolumeRequest {
  readonly snapshotId: string;
  readonly availabilityZone: string;
  readonly tags: Tags;
}

const waitSeconds = 300;

/** Makes a volume from a snapshot and waits until it can be attached. Answers its id. */
export async function createSnapshotVolume(
  clients: AwsClients,
  request: SnapshotVolumeRequest,
  call: AwsCall,
): Promise<string> {
  const command = new CreateVolumeCommand({
    SnapshotId: request.snapshotId,
    AvailabilityZone: request.availabilityZone,
    TagSpecifications: [{ ResourceType: "volume", Tags: toTagList(request.tags) }],
  });
  const doing = `making a volume from ${request.snapshotId}`;
  const { VolumeId: volumeId = "" } = await namedCall(
    doing,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  const waiting = {
    client: clients.ec2(),
    maxWaitTime: waitSeconds,
    minDelay: 1,
    maxDelay: 2,
    abortSignal: call.signal,
  };
  await namedCall(`waiting for ${volumeId}`, waitUntilVolumeAvailable(waiting, { VolumeIds: [volumeId] }));
  return volumeId;
}

export async function deleteVolume(clients: AwsClients, volumeId: string, call: AwsCall): Promise<void> {
  const command = new DeleteVolumeCommand({ VolumeId: volumeId });
  await namedCall(`deleting ${volumeId}`, clients.ec2().send(command, { abortSignal: call.signal }));
}
