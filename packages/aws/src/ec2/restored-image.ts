import {
  DeregisterImageCommand,
  DescribeImagesCommand,
  RegisterImageCommand,
  type BlockDeviceMapping,
  type ArchitectureValues,
  type BootModeValues,
  type ImdsSupportValues,
  type TpmSupportValues,
  type VolumeType,
} from "@aws-sdk/client-ec2";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import type { InstanceRecipe } from "./instance-recipe.ts";
import { namedCall, type AwsCall } from "./named-call.ts";
import { toTagList, type Tags } from "./tags.ts";

export interface ImageRegistration {
  /** Unique in the account; registering again under it fails, so look for it first. */
  readonly name: string;
  readonly recipe: InstanceRecipe;
  /** The restored snapshot of each of the recipe's volumes. */
  readonly snapshots: ReadonlyMap<string, string>;
  readonly tags: Tags;
}

/**
 * Registers restored snapshots as an image with the settings of the source: EC2's defaults (i386, paravirtual) would not
 * boot. Only for instances that pay nothing to anybody but for running (`RunInstances`).
 */
export async function registerRestoredImage(
  clients: AwsClients,
  registration: ImageRegistration,
  call: AwsCall,
): Promise<{ readonly imageId: string }> {
  const { recipe } = registration;
  const command = new RegisterImageCommand({
    Name: registration.name,
    Description: `restored from a backup of ${recipe.instanceId}`,
    Architecture: recipe.architecture as ArchitectureValues,
    VirtualizationType: recipe.virtualizationType,
    EnaSupport: recipe.hasEna,
    SriovNetSupport: recipe.sriovNetSupport,
    BootMode: recipe.bootMode as BootModeValues | undefined,
    TpmSupport: recipe.tpmSupport as TpmSupportValues | undefined,
    UefiData: recipe.uefiData,
    ImdsSupport: recipe.imdsSupport as ImdsSupportValues | undefined,
    RootDeviceName: recipe.rootDeviceName,
    BlockDeviceMappings: recipe.volumes.map((volume) => toMapping(volume, registration.snapshots)),
    TagSpecifications: [{ ResourceType: "image", Tags: toTagList(registration.tags) }],
  });
  const answer = await namedCall(
    `registering the image ${registration.name}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  return { imageId: answer.ImageId ?? "" };
}

function toMapping(
  volume: InstanceRecipe["volumes"][number],
  snapshots: ReadonlyMap<string, string>,
): BlockDeviceMapping {
  const hasIops = ["io1", "io2", "gp3"].includes(volume.volumeType);
  return {
    DeviceName: volume.deviceName,
    Ebs: {
      SnapshotId: snapshots.get(volume.volumeId),
      VolumeSize: volume.sizeGiB,
      VolumeType: volume.volumeType as VolumeType,
      DeleteOnTermination: volume.deletesOnTermination,
      ...(hasIops && volume.iops !== undefined ? { Iops: volume.iops } : {}),
      ...(volume.volumeType === "gp3" && volume.throughputMiBps !== undefined
        ? { Throughput: volume.throughputMiBps }
        : {}),
    },
  };
}

export interface ImageState {
  readonly imageId: string;
  readonly state: string;
  readonly reason?: string;
  readonly platformDetails?: string;
}

export async function findOwnImage(
  clients: AwsClients,
  name: string,
  call: AwsCall,
): Promise<ImageState | undefined> {
  const command = new DescribeImagesCommand({
    Owners: ["self"],
    Filters: [{ Name: "name", Values: [name] }],
  });
  const answer = await namedCall(
    `looking for the image ${name}`,
    clients.ec2().send(command, { abortSignal: call.signal }),
  );
  const image = answer.Images?.[0];
  if (image === undefined) return undefined;
  return {
    imageId: image.ImageId ?? "",
    state: image.State ?? "pending",
    ...(image.StateReason?.Message === undefined ? {} : { reason: image.StateReason.Message }),
    ...(image.PlatformDetails === undefined ? {} : { platformDetails: image.PlatformDetails }),
  };
}

/** Deregistering one that is gone is no error. Its snapshots stay. */
export async function deregisterImage(clients: AwsClients, imageId: string, call: AwsCall): Promise<void> {
  const command = new DeregisterImageCommand({ ImageId: imageId });
  try {
    await namedCall(`deregistering ${imageId}`, clients.ec2().send(command, { abortSignal: call.signal }));
  } catch (error) {
    const awsCode = isGarrisonError(error) ? String(error.details["awsCode"]) : "";
    if (!awsCode.startsWith("InvalidAMIID")) throw error;
  }
}
