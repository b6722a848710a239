import { RunInstancesCommand, type RunInstancesCommandInput, type _InstanceType } from "@aws-sdk/client-ec2";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { translateAwsError } from "../translate-aws-error.ts";
import { toTagList, type Tags } from "./tags.ts";

export interface WorkerLaunch {
  readonly imageId: string;
  readonly instanceType: string;
  readonly instanceProfileName: string;
  readonly subnetId?: string;
  readonly securityGroupIds?: readonly string[];
  /** At most 64 characters; the same token answers the same instance. */
  readonly token: string;
  readonly tags: Tags;
}

/**
 * Launches a worker: IMDSv2 only and one hop (no container gets at the role), no key pair, and an instance that shuts
 * down is gone.
 */
export async function launchWorkerInstance(
  clients: AwsClients,
  launch: WorkerLaunch,
  call: AwsCall,
): Promise<{ readonly instanceId: string }> {
  const command = new RunInstancesCommand(launchInput(launch));
  const answer = await namedCall(
    "launching a worker",
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return { instanceId: answer.Instances?.[0]?.InstanceId ?? "" };
}

/**
 * Asks EC2 whether the same launch would be permitted, and makes nothing: policies of every layer are weighed with the
 * real image, type, network, profile and tags. Throws what the launch would be refused with.
 */
export async function permitWorkerLaunch(
  clients: AwsClients,
  launch: WorkerLaunch,
  call: AwsCall,
): Promise<void> {
  const command = new RunInstancesCommand({ ...launchInput(launch), DryRun: true });
  try {
    await clients.ec2().send(command, { abortSignal: call.signal });
  } catch (error) {
    // How EC2 says yes to a call that is only a question.
    if (error instanceof Error && error.name === "DryRunOperation") return;
    throw translateAwsError(error, "asking whether a worker may be launched");
  }
}

function launchInput(launch: WorkerLaunch): RunInstancesCommandInput {
  const tags = toTagList(launch.tags);
  return {
    ImageId: launch.imageId,
    InstanceType: launch.instanceType as _InstanceType,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: launch.token,
    IamInstanceProfile: { Name: launch.instanceProfileName },
    InstanceInitiatedShutdownBehavior: "terminate",
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, HttpEndpoint: "enabled" },
    SubnetId: launch.subnetId,
    SecurityGroupIds: launch.securityGroupIds === undefined ? undefined : [...launch.securityGroupIds],
    TagSpecifications: [
      { ResourceType: "instance", Tags: tags },
      { ResourceType: "volume", Tags: tags },
      { ResourceType: "network-interface", Tags: tags },
    ],
  };
}
