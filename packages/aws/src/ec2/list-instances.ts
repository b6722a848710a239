import {
  paginateDescribeInstances,
  paginateDescribeVolumes,
  type Instance,
  type Volume,
} from "@aws-sdk/client-ec2";
import { GiB } from "@garrison/core/units";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { fromTagList, type Tags } from "./tags.ts";

export interface InventoryVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly sizeBytes: number;
  readonly isRoot: boolean;
  readonly isEncrypted: boolean;
  readonly kmsKeyArn?: string;
}

export interface InventoryInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly state: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  readonly volumes: readonly InventoryVolume[];
  readonly tags: Tags;
}

/** Every instance of the account and Region that has not ended; with `instanceIds`, these. */
export async function listInstances(
  clients: AwsClients,
  filter: { readonly instanceIds?: readonly string[] },
  call: AwsCall,
): Promise<readonly InventoryInstance[]> {
  const instances = await namedCall("listing instances", readInstances(clients, filter, call));
  const ids = instances.flatMap(attachedVolumeIds);
  const volumes = await namedCall("listing the instances' volumes", readVolumes(clients, ids, call));
  return instances.map((instance) => toInventory(instance, volumes));
}

const endedStates = ["shutting-down", "terminated"];
/** DescribeVolumes takes at most 500 ids at a time when it pages. */
const volumesAtOnce = 200;

async function readInstances(
  clients: AwsClients,
  filter: { readonly instanceIds?: readonly string[] },
  call: AwsCall,
): Promise<readonly Instance[]> {
  const found: Instance[] = [];
  const input =
    filter.instanceIds === undefined ? { MaxResults: 1000 } : { InstanceIds: [...filter.instanceIds] };
  for await (const page of paginateDescribeInstances({ client: clients.ec2() }, input, {
    abortSignal: call.signal,
  })) {
    found.push(...(page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []));
  }
  return found.filter((instance) => !endedStates.includes(instance.State?.Name ?? ""));
}

function attachedVolumeIds(instance: Instance): readonly string[] {
  return (instance.BlockDeviceMappings ?? []).flatMap((mapping) => mapping.Ebs?.VolumeId ?? []);
}

async function readVolumes(
  clients: AwsClients,
  ids: readonly string[],
  call: AwsCall,
): Promise<ReadonlyMap<string, Volume>> {
  const found = new Map<string, Volume>();
  for (let first = 0; first < ids.length; first += volumesAtOnce) {
    const input = { VolumeIds: ids.slice(first, first + volumesAtOnce) };
    for await (const page of paginateDescribeVolumes({ client: clients.ec2() }, input, {
      abortSignal: call.signal,
    })) {
      for (const volume of page.Volumes ?? []) found.set(volume.VolumeId ?? "", volume);
    }
  }
  return found;
}

function toInventory(instance: Instance, volumes: ReadonlyMap<string, Volume>): InventoryInstance {
  const tags = fromTagList(instance.Tags);
  return {
    instanceId: instance.InstanceId ?? "",
    name: tags["Name"] ?? instance.InstanceId ?? "",
    state: instance.State?.Name ?? "unknown",
    instanceType: instance.InstanceType ?? "unknown",
    availabilityZone: instance.Placement?.AvailabilityZone ?? "",
    volumes: (instance.BlockDeviceMappings ?? []).map((mapping) => {
      const volume = volumes.get(mapping.Ebs?.VolumeId ?? "");
      return {
        volumeId: mapping.Ebs?.VolumeId ?? "",
        deviceName: mapping.DeviceName ?? "",
        sizeBytes: (volume?.Size ?? 0) * GiB,
        isRoot: mapping.DeviceName === instance.RootDeviceName,
        isEncrypted: volume?.Encrypted ?? false,
        ...(volume?.KmsKeyId === undefined ? {} : { kmsKeyArn: volume.KmsKeyId }),
      };
    }),
    tags,
  };
}
