import {
  RunInstancesCommand,
  type HttpTokensState,
  type InstanceMetadataEndpointState,
  type InstanceMetadataTagsState,
  type ShutdownBehavior,
  type Tenancy,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import type { AwsClients } from "../aws-clients.ts";
import type { InstanceRecipe } from "./instance-recipe.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { toTagList, type Tags } from "./tags.ts";

export interface RestoredLaunch {
  readonly imageId: string;
  readonly recipe: InstanceRecipe;
  /** What the user chose instead of what was recorded. */
  readonly instanceType?: string | undefined;
  readonly subnetId?: string | undefined;
  readonly securityGroupIds?: readonly string[] | undefined;
  readonly keyName?: string | undefined;
  /** Only one that the owner asked for: without it the instance has no role. */
  readonly instanceProfile?: string | undefined;
  readonly token: string;
  readonly tags: Tags;
}

/** Launches an instance from a restored image with the recorded settings. The same token answers the same instance. */
export async function launchRestoredInstance(
  clients: AwsClients,
  launch: RestoredLaunch,
  call: AwsCall,
): Promise<{ readonly instanceId: string }> {
  const { recipe } = launch;
  const tags = toTagList(launch.tags);
  const command = new RunInstancesCommand({
    ...chosenSettings(launch),
    ImageId: launch.imageId,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: launch.token,
    UserData: recipe.userData,
    EbsOptimized: recipe.isEbsOptimized,
    Monitoring: { Enabled: recipe.monitoring },
    DisableApiTermination: recipe.isTerminationProtected,
    DisableApiStop: recipe.isStopProtected,
    InstanceInitiatedShutdownBehavior: recipe.shutdownBehavior as ShutdownBehavior | undefined,
    MetadataOptions: metadataOptions(recipe),
    TagSpecifications: [
      { ResourceType: "instance", Tags: tags },
      { ResourceType: "volume", Tags: tags },
    ],
  });
  const answer = await namedCall(
    `launching the restored ${recipe.instanceId}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return { instanceId: answer.Instances?.[0]?.InstanceId ?? "" };
}

function chosenSettings(launch: RestoredLaunch) {
  const { recipe, instanceProfile } = launch;
  const subnetId = launch.subnetId ?? recipe.subnetId;
  // Groups belong to the VPC of the recorded subnet; another subnet takes its VPC's default unless they are chosen too.
  const groups =
    launch.securityGroupIds ?? (subnetId === recipe.subnetId ? recipe.securityGroupIds : undefined);
  const isDefaultTenancy = recipe.tenancy === undefined || recipe.tenancy === "default";
  return {
    InstanceType: (launch.instanceType ?? recipe.instanceType) as _InstanceType,
    SubnetId: subnetId,
    SecurityGroupIds: groups === undefined ? undefined : [...groups],
    KeyName: launch.keyName ?? recipe.keyName,
    ...(isDefaultTenancy ? {} : { Placement: { Tenancy: recipe.tenancy as Tenancy } }),
    ...(instanceProfile === undefined
      ? {}
      : {
          IamInstanceProfile: instanceProfile.startsWith("arn:")
            ? { Arn: instanceProfile }
            : { Name: instanceProfile },
        }),
  };
}

function metadataOptions(recipe: InstanceRecipe) {
  const options = recipe.metadataOptions;
  if (options === undefined) return undefined;
  return {
    HttpTokens: options.httpTokens as HttpTokensState | undefined,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    HttpEndpoint: options.httpEndpoint as InstanceMetadataEndpointState | undefined,
    InstanceMetadataTags: options.instanceMetadataTags as InstanceMetadataTagsState | undefined,
  };
}
