import type { DescribeImagesCommandInput, Image } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { ownedRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { findImage } from "./find-image.ts";
import type { ImageMapping, ImageRecord } from "./image-record.ts";
import { publicImages } from "./public-images.ts";

const filters: FilterTable<ImageRecord> = {
  "image-id": (image) => image.imageId,
  name: (image) => image.name,
  description: (image) => image.description,
  architecture: (image) => image.architecture,
  "block-device-mapping.snapshot-id": (image) =>
    image.mappings.flatMap((mapping) => mapping.snapshotId ?? []),
  "block-device-mapping.volume-type": (image) => image.mappings.map((mapping) => mapping.volumeType),
  "creation-date": (image) => new Date(image.createdAtMs).toISOString(),
  "ena-support": (image) => String(image.enaSupport),
  hypervisor: () => "xen",
  "image-type": () => "machine",
  "is-public": (image) => String(image.isPublic),
  "owner-alias": (image) => image.ownerAlias,
  "owner-id": (image) => image.accountId,
  "root-device-name": (image) => image.rootDeviceName,
  "root-device-type": () => "ebs",
  state: () => "available",
  "virtualization-type": (image) => image.virtualizationType,
};

export function describeImages(input: DescribeImagesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeImages");
  const visible = [...ownedRecords(call, call.lab.ec2.tables.images.values()), ...publicImages(call.region)];
  const named = input.ImageIds?.length ? input.ImageIds.map((id) => findImage(call, id)) : visible;
  const owners = input.Owners?.map((owner) => (owner === "self" ? call.accountId : owner));
  const owned = owners?.length
    ? named.filter((image) => owners.includes(image.accountId) || owners.includes(image.ownerAlias ?? ""))
    : named;
  const page = pageRecords(filterRecords(owned, input.Filters, filters), input, (image) => image.imageId);
  return { Images: page.items.map((image) => formatImage(call, image)), NextToken: page.NextToken };
}

function formatImage(call: Call, image: ImageRecord): Image {
  return {
    ImageId: image.imageId,
    ImageLocation: `${image.ownerAlias ?? image.accountId}/${image.name}`,
    ImageType: "machine",
    Name: image.name,
    Description: image.description,
    OwnerId: image.accountId,
    ImageOwnerAlias: image.ownerAlias,
    State: "available",
    Public: image.isPublic,
    Architecture: image.architecture,
    PlatformDetails: "Linux/UNIX",
    UsageOperation: "RunInstances",
    Hypervisor: "xen",
    VirtualizationType: image.virtualizationType,
    EnaSupport: image.enaSupport,
    SriovNetSupport: image.sriovNetSupport,
    BootMode: image.bootMode,
    ImdsSupport: image.imdsSupport,
    TpmSupport: image.tpmSupport,
    RootDeviceType: "ebs",
    RootDeviceName: image.rootDeviceName,
    BlockDeviceMappings: image.mappings.map(formatMapping),
    CreationDate: new Date(image.createdAtMs).toISOString(),
    Tags: image.accountId === call.accountId ? formatTags(image.tags) : undefined,
  };
}

function formatMapping(mapping: ImageMapping): NonNullable<Image["BlockDeviceMappings"]>[number] {
  return {
    DeviceName: mapping.deviceName,
    Ebs: {
      SnapshotId: mapping.snapshotId,
      VolumeSize: mapping.sizeGiB,
      VolumeType: mapping.volumeType,
      Iops: mapping.iops,
      Throughput: mapping.throughput,
      DeleteOnTermination: mapping.deleteOnTermination,
      Encrypted: mapping.encrypted,
    },
  };
}
