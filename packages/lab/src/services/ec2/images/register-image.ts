import type {
  BlockDeviceMapping,
  DeregisterImageCommandInput,
  RegisterImageCommandInput,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { incorrectState, invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { isOwned, ownedRecords } from "../shared/owned-records.ts";
import { permit } from "../shared/permit.ts";
import { imageAccess, newImageAccess, snapshotAccess } from "../shared/resource-access.ts";
import { findSnapshot } from "../snapshots/find-snapshot.ts";
import { requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { shapeVolume } from "../volumes/volume-shape.ts";
import { imageMissing } from "./find-image.ts";
import type { ImageMapping, ImageRecord } from "./image-record.ts";

export function registerImage(input: RegisterImageCommandInput, call: Call): object {
  const name = readName(input);
  const mappings = readMappings(input, call);
  const tags = tagsFor(input.TagSpecifications, "image");
  const created = newImageAccess(call);
  const snapshots = mappings.flatMap((mapping) =>
    mapping.snapshotId === undefined ? [] : [findSnapshot(call, mapping.snapshotId)],
  );
  permit(call, input.DryRun, [
    {
      action: "ec2:RegisterImage",
      resources: [created, ...snapshots.map((snapshot) => snapshotAccess(call, snapshot))],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "RegisterImage", { resource: created, tags }),
  ]);
  const { images } = call.lab.ec2.tables;
  const twin = ownedRecords(call, images.values()).find((image) => image.name === name);
  if (twin !== undefined)
    throw new AwsError(
      "InvalidAMIName.Duplicate",
      `AMI name ${name} is already in use by AMI ${twin.imageId}`,
    );
  const image: ImageRecord = {
    imageId: newResourceId(call.lab.random, "ami"),
    accountId: call.accountId,
    region: call.region,
    name,
    description: input.Description ?? "",
    // AWS's own defaults, unfortunate as they are.
    architecture: input.Architecture ?? "i386",
    virtualizationType:
      (input.VirtualizationType as ImageRecord["virtualizationType"] | undefined) ?? "paravirtual",
    rootDeviceName: input.RootDeviceName!,
    enaSupport: input.EnaSupport ?? false,
    ...(input.SriovNetSupport === undefined ? {} : { sriovNetSupport: input.SriovNetSupport }),
    ...(input.BootMode === undefined ? {} : { bootMode: input.BootMode }),
    ...(input.ImdsSupport === undefined ? {} : { imdsSupport: input.ImdsSupport }),
    ...(input.TpmSupport === undefined ? {} : { tpmSupport: input.TpmSupport }),
    mappings,
    createdAtMs: call.lab.clock.now(),
    tags,
    isPublic: false,
    bootable: false,
  };
  images.put(image.imageId, image);
  return { ImageId: image.imageId };
}

export function deregisterImage(input: DeregisterImageCommandInput, call: Call): object {
  if (input.ImageId === undefined) throw missingParameter("imageId");
  const { images } = call.lab.ec2.tables;
  const image = images.get(input.ImageId);
  if (!isOwned(call, image)) throw imageMissing(input.ImageId);
  permit(call, input.DryRun, [{ action: "ec2:DeregisterImage", resources: [imageAccess(call, image)] }]);
  images.delete(image.imageId);
  return { Return: true };
}

function readName(input: RegisterImageCommandInput): string {
  if (input.Name === undefined) throw missingParameter("name");
  if (!/^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/.test(input.Name)) {
    throw new AwsError(
      "InvalidAMIName.Malformed",
      "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/', '_', '@', '[', ']', ' and spaces.",
    );
  }
  return input.Name;
}

function readMappings(input: RegisterImageCommandInput, call: Call): ImageMapping[] {
  const mappings = (input.BlockDeviceMappings ?? []).map((mapping) => readMapping(mapping, call));
  if (input.RootDeviceName === undefined) throw missingParameter("rootDeviceName");
  const root = mappings.find((mapping) => mapping.deviceName === input.RootDeviceName);
  if (root === undefined) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `The root device ${input.RootDeviceName} must have a block device mapping.`,
    );
  }
  if (root.snapshotId === undefined) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `The snapshot of the root device ${input.RootDeviceName} must be given.`,
    );
  }
  return mappings;
}

function readMapping(mapping: BlockDeviceMapping, call: Call): ImageMapping {
  const { DeviceName: deviceName, Ebs: ebs } = mapping;
  if (deviceName === undefined || ebs === undefined) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      "A block device mapping needs a device name and an EBS block.",
    );
  }
  if (ebs.SnapshotId !== undefined && ebs.Encrypted !== undefined) {
    throw invalidParameter("The encryption state of a device that has a snapshot can't be given.");
  }
  const snapshot = ebs.SnapshotId === undefined ? undefined : findSnapshot(call, ebs.SnapshotId);
  if (snapshot !== undefined && snapshot.state !== "completed") {
    throw incorrectState("snapshot", snapshot.snapshotId, snapshot.state);
  }
  const sizeGiB = ebs.VolumeSize ?? snapshot?.sizeGiB;
  if (sizeGiB === undefined) throw missingParameter("volumeSize");
  if (snapshot !== undefined && sizeGiB < snapshot.sizeGiB) {
    throw new AwsError(
      "InvalidBlockDeviceMapping",
      `Volume of size ${sizeGiB}GB is smaller than snapshot '${snapshot.snapshotId}', expect size >= ${snapshot.sizeGiB}GB`,
    );
  }
  return {
    deviceName,
    ...(snapshot === undefined ? {} : { snapshotId: snapshot.snapshotId }),
    ...shapeVolume({
      sizeGiB,
      volumeType: ebs.VolumeType ?? "gp2",
      iops: ebs.Iops,
      throughput: ebs.Throughput,
    }),
    deleteOnTermination: ebs.DeleteOnTermination ?? true,
    encrypted: snapshot?.encrypted ?? ebs.Encrypted ?? false,
  };
}
