import {
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type Image,
  type Instance,
  type InstanceAttributeName,
  type InstanceNetworkInterface,
  type Volume,
} from "@aws-sdk/client-ec2";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import type { InstanceRecipe } from "./instance-recipe.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { fromTagList, ownTags } from "./tags.ts";

export interface RecipeRequest {
  readonly instanceId: string;
  readonly accountId: string;
}

/** Reads what is needed to rebuild an instance. Throws `aws-not-found` when it does not exist. */
export async function readInstanceRecipe(
  dependencies: { readonly clients: AwsClients; readonly clock: Clock },
  request: RecipeRequest,
  call: AwsCall,
): Promise<InstanceRecipe> {
  const { clients, clock } = dependencies;
  const instance = await readInstance(clients, request.instanceId, call);
  const volumes = await readVolumes(clients, instance, call);
  const image = await readImage(clients, instance.ImageId, call);
  const attribute = (name: InstanceAttributeName) =>
    namedCall(
      `reading ${name} of ${request.instanceId}`,
      clients
        .ec2()
        .send(new DescribeInstanceAttributeCommand({ InstanceId: request.instanceId, Attribute: name }), {
          abortSignal: call.signal,
        }),
    );
  const userData = (await attribute("userData")).UserData?.Value;
  const isTerminationProtected = (await attribute("disableApiTermination")).DisableApiTermination?.Value;
  const isStopProtected = (await attribute("disableApiStop")).DisableApiStop?.Value;
  const shutdown = (await attribute("instanceInitiatedShutdownBehavior")).InstanceInitiatedShutdownBehavior;
  const recipe = {
    ...describeMachine(instance, image),
    ...describeNetwork(instance),
    version: 1,
    accountId: request.accountId,
    region: clients.options.region,
    takenAt: new Date(clock.now()).toISOString(),
    userData: userData === "" ? undefined : userData,
    isTerminationProtected: isTerminationProtected ?? false,
    isStopProtected: isStopProtected ?? false,
    shutdownBehavior: shutdown?.Value,
    volumes: describeVolumes(instance, volumes),
    tags: ownTags(fromTagList(instance.Tags)),
  };
  // Through JSON: what AWS did not tell is absent, not undefined, in what is sealed.
  return JSON.parse(JSON.stringify(recipe)) as InstanceRecipe;
}

async function readInstance(clients: AwsClients, instanceId: string, call: AwsCall): Promise<Instance> {
  const answer = await namedCall(
    `describing ${instanceId}`,
    clients
      .ec2()
      .send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }), { abortSignal: call.signal }),
  );
  const instance = answer.Reservations?.[0]?.Instances?.[0];
  if (instance !== undefined) return instance;
  throw new GarrisonError("aws-not-found", `instance ${instanceId} does not exist`);
}

async function readVolumes(
  clients: AwsClients,
  instance: Instance,
  call: AwsCall,
): Promise<readonly Volume[]> {
  const ids = (instance.BlockDeviceMappings ?? []).flatMap((mapping) => mapping.Ebs?.VolumeId ?? []);
  if (ids.length === 0) return [];
  const answer = await namedCall(
    `describing the volumes of ${instance.InstanceId}`,
    clients.ec2().send(new DescribeVolumesCommand({ VolumeIds: ids }), { abortSignal: call.signal }),
  );
  return answer.Volumes ?? [];
}

/** The source image may have been deregistered long ago: then the instance itself has to tell enough. */
async function readImage(
  clients: AwsClients,
  imageId: string | undefined,
  call: AwsCall,
): Promise<Image | undefined> {
  if (imageId === undefined) return undefined;
  const reading = clients
    .ec2()
    .send(new DescribeImagesCommand({ ImageIds: [imageId] }), { abortSignal: call.signal });
  try {
    return (await namedCall(`describing image ${imageId}`, reading)).Images?.[0];
  } catch (error) {
    const awsCode = isGarrisonError(error) ? String(error.details["awsCode"]) : "";
    if (awsCode.startsWith("InvalidAMIID")) return undefined;
    throw error;
  }
}

function describeMachine(instance: Instance, image: Image | undefined) {
  return {
    instanceId: instance.InstanceId,
    imageId: instance.ImageId,
    imageName: image?.Name,
    instanceType: instance.InstanceType,
    architecture: instance.Architecture ?? image?.Architecture ?? "x86_64",
    bootMode: instance.BootMode ?? image?.BootMode,
    virtualizationType: instance.VirtualizationType ?? "hvm",
    hasEna: instance.EnaSupport ?? image?.EnaSupport ?? true,
    sriovNetSupport: instance.SriovNetSupport,
    tpmSupport: instance.TpmSupport ?? image?.TpmSupport,
    imdsSupport: image?.ImdsSupport,
    rootDeviceName: instance.RootDeviceName,
    usageOperation: instance.UsageOperation ?? image?.UsageOperation ?? "RunInstances",
    platformDetails: instance.PlatformDetails ?? image?.PlatformDetails ?? "Linux/UNIX",
    productCodes: (instance.ProductCodes ?? []).map((code) => code.ProductCodeId ?? ""),
    keyName: instance.KeyName,
    instanceProfileArn: instance.IamInstanceProfile?.Arn,
    availabilityZone: instance.Placement?.AvailabilityZone ?? "",
    tenancy: instance.Placement?.Tenancy,
    isEbsOptimized: instance.EbsOptimized ?? false,
    monitoring: instance.Monitoring?.State === "enabled",
    cpuOptions: instance.CpuOptions && {
      coreCount: instance.CpuOptions.CoreCount,
      threadsPerCore: instance.CpuOptions.ThreadsPerCore,
    },
    metadataOptions: instance.MetadataOptions && {
      httpTokens: instance.MetadataOptions.HttpTokens,
      httpPutResponseHopLimit: instance.MetadataOptions.HttpPutResponseHopLimit,
      httpEndpoint: instance.MetadataOptions.HttpEndpoint,
      instanceMetadataTags: instance.MetadataOptions.InstanceMetadataTags,
    },
  };
}

function describeNetwork(instance: Instance) {
  return {
    subnetId: instance.SubnetId,
    securityGroupIds: (instance.SecurityGroups ?? []).flatMap((group) => group.GroupId ?? []),
    networkInterfaces: (instance.NetworkInterfaces ?? []).map(describeInterface),
  };
}

function describeInterface(networkInterface: InstanceNetworkInterface) {
  const addresses = networkInterface.PrivateIpAddresses ?? [];
  return {
    deviceIndex: networkInterface.Attachment?.DeviceIndex ?? 0,
    subnetId: networkInterface.SubnetId,
    privateIpAddress: networkInterface.PrivateIpAddress,
    secondaryPrivateIpAddresses: addresses
      .filter((address) => address.Primary !== true)
      .flatMap((address) => address.PrivateIpAddress ?? []),
    ipv6Addresses: (networkInterface.Ipv6Addresses ?? []).flatMap((address) => address.Ipv6Address ?? []),
    securityGroupIds: (networkInterface.Groups ?? []).flatMap((group) => group.GroupId ?? []),
    checksSourceDestination: networkInterface.SourceDestCheck,
    description: networkInterface.Description,
  };
}

function describeVolumes(instance: Instance, volumes: readonly Volume[]) {
  return (instance.BlockDeviceMappings ?? []).flatMap((mapping) => {
    const volume = volumes.find((candidate) => candidate.VolumeId === mapping.Ebs?.VolumeId);
    if (volume === undefined) return [];
    return [
      {
        volumeId: volume.VolumeId,
        deviceName: mapping.DeviceName,
        sizeGiB: volume.Size,
        volumeType: volume.VolumeType,
        iops: volume.Iops,
        throughputMiBps: volume.Throughput,
        isEncrypted: volume.Encrypted ?? false,
        kmsKeyArn: volume.KmsKeyId,
        deletesOnTermination: mapping.Ebs?.DeleteOnTermination ?? false,
        tags: ownTags(fromTagList(volume.Tags)),
      },
    ];
  });
}
