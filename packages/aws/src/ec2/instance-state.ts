import {
  DescribeInstancesCommand,
  GetConsoleOutputCommand,
  TerminateInstancesCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { fromTagList, type Tags } from "./tags.ts";

export interface InstanceState {
  readonly instanceId: string;
  /** `absent`: EC2 does not know it (yet, or no more). */
  readonly state: string;
  /** Why EC2 stopped or terminated it. */
  readonly reason?: string;
  readonly platformDetails?: string;
  readonly volumes: readonly { readonly deviceName: string; readonly volumeId: string }[];
  readonly privateIpAddress?: string;
  readonly tags: Tags;
}

export async function readInstanceState(
  clients: AwsClients,
  instanceId: string,
  call: AwsCall,
): Promise<InstanceState> {
  const command = new DescribeInstancesCommand({ InstanceIds: [instanceId] });
  try {
    const answer = await namedCall(
      `describing ${instanceId}`,
      clients.ec2().send(command, { abortSignal: call.signal }),
    );
    const instance = answer.Reservations?.[0]?.Instances?.[0];
    if (instance !== undefined) return toState(instance);
  } catch (error) {
    if (!isGarrisonError(error, "aws-not-found")) throw error;
  }
  return { instanceId, state: "absent", volumes: [], tags: {} };
}

/** Instances, ended and ending ones left out, that match a filter such as `tag:garrison:installation` or `client-token`. */
export async function findInstances(
  clients: AwsClients,
  filter: { readonly name: string; readonly value: string },
  call: AwsCall,
): Promise<readonly InstanceState[]> {
  const command = new DescribeInstancesCommand({ Filters: [{ Name: filter.name, Values: [filter.value] }] });
  const answer = await namedCall(
    `looking for instances by ${filter.name}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return (answer.Reservations ?? [])
    .flatMap((reservation) => reservation.Instances ?? [])
    .map(toState)
    .filter(({ state }) => state !== "terminated" && state !== "shutting-down");
}

/** What the instance wrote to its console; empty when EC2 has none. */
export async function readConsoleOutput(
  clients: AwsClients,
  instanceId: string,
  call: AwsCall,
): Promise<string> {
  const command = new GetConsoleOutputCommand({ InstanceId: instanceId, Latest: true });
  const answer = await namedCall(
    `reading the console of ${instanceId}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return Buffer.from(answer.Output ?? "", "base64").toString("utf8");
}

/** Terminating one that is gone is no error. */
export async function terminateInstance(
  clients: AwsClients,
  instanceId: string,
  call: AwsCall,
): Promise<void> {
  const command = new TerminateInstancesCommand({ InstanceIds: [instanceId] });
  try {
    await namedCall(`terminating ${instanceId}`, clients.ec2().send(command, { abortSignal: call.signal }));
  } catch (error) {
    if (!isGarrisonError(error, "aws-not-found")) throw error;
  }
}

function toState(instance: Instance): InstanceState {
  return {
    instanceId: instance.InstanceId ?? "",
    state: instance.State?.Name ?? "unknown",
    ...(instance.StateReason?.Message === undefined
      ? {}
      : { reason: `${instance.StateReason.Code ?? ""}: ${instance.StateReason.Message}` }),
    ...(instance.PlatformDetails === undefined ? {} : { platformDetails: instance.PlatformDetails }),
    ...(instance.PrivateIpAddress === undefined ? {} : { privateIpAddress: instance.PrivateIpAddress }),
    volumes: (instance.BlockDeviceMappings ?? []).map((mapping) => ({
      deviceName: mapping.DeviceName ?? "",
      volumeId: mapping.Ebs?.VolumeId ?? "",
    })),
    tags: fromTagList(instance.Tags),
  };
}
