import type { _InstanceType, VolumeType } from "@aws-sdk/client-ec2";
import { GiB } from "@garrison/core/units";
import { stat } from "node:fs/promises";
import type { Lab } from "../lab.ts";
import { findPublicImage, ordinaryImageId } from "../services/ec2/images/public-images.ts";
import type { InstanceRecord } from "../services/ec2/instances/instance-record.ts";
import { findInstanceType } from "../services/ec2/instances/instance-types.ts";
import { launchInstance } from "../services/ec2/instances/launch-instance.ts";
import type { LaunchPlan } from "../services/ec2/instances/launch-plan.ts";
import { defaultNetwork } from "../services/ec2/networks/default-network.ts";
import { newResourceId } from "../services/ec2/shared/new-resource-id.ts";
import { attachedVolumes } from "../services/ec2/volumes/find-volume.ts";
import { noteVolume } from "../services/ec2/volumes/make-volume.ts";
import { shapeVolume } from "../services/ec2/volumes/volume-shape.ts";
import { AwsError } from "../wire/aws-error.ts";

export interface SeedVolume {
  /** `/dev/xvda` is the root device. */
  readonly deviceName: string;
  /** A disk image on the lab's machine; its size is rounded up to whole GiB. */
  readonly imageFile: string;
  /** Takes the file instead of copying it. */
  readonly move?: boolean;
  /** Kept as the volume's tag `FileSystem`. */
  readonly fileSystem?: string;
  readonly volumeType?: VolumeType;
  /** Encrypted under this key; absent: not encrypted. */
  readonly kmsKeyArn?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface SeedInstanceRequest {
  readonly accountId: string;
  /** The lab's Region when absent. */
  readonly region?: string;
  /** Becomes the tag `Name`. */
  readonly name: string;
  readonly volumes: readonly SeedVolume[];
  readonly subnetId?: string;
  readonly instanceType?: _InstanceType;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface SeededInstance {
  readonly instanceId: string;
  readonly region: string;
  readonly subnetId: string;
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly deviceName: string;
    readonly path: string;
    readonly sizeBytes: number;
  }[];
}

/**
 * A running instance of an ordinary image with the given disks: what somebody's server looks like to a backup. One of
 * that name which the account has already is answered as it is, so that seeding twice is harmless.
 */
export async function seedInstance(lab: Lab, request: SeedInstanceRequest): Promise<SeededInstance> {
  const existing = findNamed(lab, request);
  if (existing !== undefined) return describeSeeded(lab, existing);
  for (const { imageFile } of request.volumes) await stat(imageFile);
  const reservationId = newResourceId(lab.random, "r");
  const instance = launchInstance(lab, planSeed(lab, request), { reservationId, launchIndex: 0 });
  for (const volume of request.volumes) await seedVolume(lab, instance, volume);
  lab.ec2.tables.instances.put(instance.instanceId, { ...instance, state: "running" });
  return describeSeeded(lab, instance);
}

async function seedVolume(lab: Lab, instance: InstanceRecord, volume: SeedVolume): Promise<void> {
  const sizeGiB = Math.ceil((await stat(volume.imageFile)).size / GiB);
  const { accountId, region, zone, instanceId } = instance;
  const record = noteVolume(lab, {
    accountId,
    region,
    zone,
    ...shapeVolume({ sizeGiB, volumeType: volume.volumeType ?? "gp3" }),
    encrypted: volume.kmsKeyArn !== undefined,
    ...(volume.kmsKeyArn === undefined ? {} : { kmsKeyId: volume.kmsKeyArn }),
    tags: {
      Name: `${instance.tags["Name"]}:${volume.deviceName}`,
      ...(volume.fileSystem === undefined ? {} : { FileSystem: volume.fileSystem }),
      ...volume.tags,
    },
    attachment: {
      instanceId,
      deviceName: volume.deviceName,
      state: "attached",
      deleteOnTermination: volume.deviceName === instance.rootDeviceName,
      attachedAtMs: lab.clock.now(),
    },
  });
  const source = { file: volume.imageFile, sizeBytes: sizeGiB * GiB, move: volume.move ?? false };
  await lab.ec2.disks.volumes.import(record.volumeId, source, lab.stopping);
  lab.ec2.tables.volumes.put(record.volumeId, { ...record, state: "in-use" });
}

function planSeed(lab: Lab, request: SeedInstanceRequest): LaunchPlan {
  const { accountId } = request;
  const region = request.region ?? lab.settings.region;
  const network = defaultNetwork(lab, { accountId, region });
  const subnet = lab.ec2.tables.subnets.get(request.subnetId ?? network.subnetIds["a"]!);
  const group = lab.ec2.tables.securityGroups.get(network.securityGroupId);
  const type = findInstanceType(request.instanceType ?? "t3.small");
  const image = findPublicImage(
    ordinaryImageId(type.architecture === "arm64" ? "arm64" : "x86_64", region),
    region,
  );
  if (subnet === undefined || group === undefined || image === undefined) {
    throw new AwsError("InvalidSubnetID.NotFound", `The subnet ID '${request.subnetId}' does not exist`);
  }
  return {
    image,
    type,
    network: { subnet, groups: [group], publicIp: false, deleteOnTermination: true },
    volumes: [],
    settings: {
      accountId,
      region,
      metadata: {
        httpTokens: "required",
        httpPutResponseHopLimit: 2,
        httpEndpoint: "enabled",
        instanceMetadataTags: "disabled",
      },
      shutdownBehavior: "stop",
      disableApiTermination: false,
      disableApiStop: false,
      ebsOptimized: true,
      cpuOptions: { coreCount: 1, threadsPerCore: 2 },
      monitoring: false,
    },
    minCount: 1,
    maxCount: 1,
    spot: false,
    tags: {
      instance: { Name: request.name, ...request.tags },
      volume: {},
      networkInterface: {},
      spotRequest: {},
    },
  };
}

function findNamed(lab: Lab, request: SeedInstanceRequest): InstanceRecord | undefined {
  const region = request.region ?? lab.settings.region;
  return [...lab.ec2.tables.instances.values()].find(
    (instance) =>
      instance.accountId === request.accountId &&
      instance.region === region &&
      instance.tags["Name"] === request.name &&
      (instance.state === "running" || instance.state === "stopped"),
  );
}

function describeSeeded(lab: Lab, instance: InstanceRecord): SeededInstance {
  const { instanceId, region, subnetId, rootDeviceName } = instance;
  return {
    instanceId,
    region,
    subnetId,
    volumes: attachedVolumes({ lab }, instanceId, rootDeviceName).map((volume) => ({
      volumeId: volume.volumeId,
      deviceName: volume.attachment!.deviceName,
      path: lab.ec2.disks.volumes.path(volume.volumeId),
      sizeBytes: volume.sizeGiB * GiB,
    })),
  };
}
