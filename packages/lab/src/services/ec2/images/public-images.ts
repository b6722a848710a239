import { createHash } from "node:crypto";
import type { ImageRecord } from "./image-record.ts";

const amazonAccountId = "137112412989";
const debianAccountId = "136693071363";

export type PublicArchitecture = "x86_64" | "arm64";

/**
 * Amazon Linux 2023 as `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-<architecture>` names it.
 * Instances of it boot.
 */
export function publicImageId(architecture: PublicArchitecture, region: string): string {
  return imageId("al2023", architecture, region);
}

/** An image like those that people's servers run: its instances have a state and disks, but no processes. */
export function ordinaryImageId(architecture: PublicArchitecture, region: string): string {
  return imageId("debian-13", architecture, region);
}

/** The images of others that every account sees in a Region. */
export function publicImages(region: string): ImageRecord[] {
  return (["x86_64", "arm64"] as const).flatMap((architecture) => [
    amazonLinux(architecture, region),
    debian(architecture, region),
  ]);
}

export function findPublicImage(imageId: string, region: string): ImageRecord | undefined {
  return publicImages(region).find((image) => image.imageId === imageId);
}

/** Snapshots of public images are nobody's here and hold nothing: volumes made from them are empty. */
export function isPublicSnapshot(snapshot: string, region: string): boolean {
  return publicImages(region).some((image) =>
    image.mappings.some((mapping) => mapping.snapshotId === snapshot),
  );
}

function amazonLinux(architecture: PublicArchitecture, region: string): ImageRecord {
  return {
    ...publicImage("al2023", architecture, region),
    accountId: amazonAccountId,
    ownerAlias: "amazon",
    name: `al2023-ami-2023.9.20261110.0-kernel-6.12-${architecture}`,
    description: "Amazon Linux 2023 AMI (lab)",
    rootDeviceName: "/dev/xvda",
    imdsSupport: "v2.0",
    mappings: [rootMapping("/dev/xvda", snapshotId("al2023", architecture, region))],
    bootable: true,
  };
}

function debian(architecture: PublicArchitecture, region: string): ImageRecord {
  return {
    ...publicImage("debian-13", architecture, region),
    accountId: debianAccountId,
    name: `debian-13-${architecture === "x86_64" ? "amd64" : "arm64"}-20261101-2285`,
    description: "Debian 13 (lab)",
    rootDeviceName: "/dev/xvda",
    mappings: [rootMapping("/dev/xvda", snapshotId("debian-13", architecture, region))],
    bootable: false,
  };
}

function publicImage(name: string, architecture: PublicArchitecture, region: string) {
  return {
    imageId: imageId(name, architecture, region),
    region,
    architecture,
    virtualizationType: "hvm",
    enaSupport: true,
    sriovNetSupport: "simple",
    bootMode: architecture === "x86_64" ? "uefi-preferred" : "uefi",
    createdAtMs: Date.UTC(2026, 10, 12, 8, 30),
    tags: {},
    isPublic: true,
  } as const;
}

function rootMapping(deviceName: string, snapshot: string): ImageRecord["mappings"][number] {
  return {
    deviceName,
    snapshotId: snapshot,
    sizeGiB: 8,
    volumeType: "gp3",
    iops: 3000,
    throughput: 125,
    deleteOnTermination: true,
    encrypted: false,
  };
}

function imageId(name: string, architecture: PublicArchitecture, region: string): string {
  return `ami-0${digest(`image/${name}/${architecture}/${region}`)}`;
}

function snapshotId(name: string, architecture: PublicArchitecture, region: string): string {
  return `snap-0${digest(`snapshot/${name}/${architecture}/${region}`)}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
