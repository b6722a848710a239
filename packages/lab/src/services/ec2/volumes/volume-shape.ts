import type { VolumeType } from "@aws-sdk/client-ec2";
import { invalidParameter } from "../shared/ec2-errors.ts";

export interface VolumeShape {
  readonly sizeGiB: number;
  readonly volumeType: VolumeType;
  readonly iops?: number;
  readonly throughput?: number;
}

const sizeLimits: Readonly<Record<string, readonly [number, number]>> = {
  gp2: [1, 16_384],
  gp3: [1, 65_536],
  io1: [4, 16_384],
  io2: [4, 65_536],
  st1: [125, 16_384],
  sc1: [125, 16_384],
  standard: [1, 1024],
};

/** Checks size and performance against the type and fills in AWS's defaults. */
export function shapeVolume(wanted: {
  readonly sizeGiB: number;
  readonly volumeType?: VolumeType | undefined;
  readonly iops?: number | undefined;
  readonly throughput?: number | undefined;
}): VolumeShape {
  const { sizeGiB, volumeType = "gp2" } = wanted;
  const limits = sizeLimits[volumeType];
  if (limits === undefined) throw invalidParameter(`Invalid volume type: ${volumeType}`);
  if (sizeGiB < limits[0] || sizeGiB > limits[1]) {
    throw invalidParameter(
      `Volume of ${sizeGiB}GiB is outside the limits of ${limits[0]}GiB to ${limits[1]}GiB for ${volumeType}.`,
    );
  }
  if (wanted.throughput !== undefined && volumeType !== "gp3") {
    throw invalidParameter(`The parameter throughput is not supported for ${volumeType} volumes.`);
  }
  if (volumeType === "gp3")
    return { sizeGiB, volumeType, iops: wanted.iops ?? 3000, throughput: wanted.throughput ?? 125 };
  if (volumeType === "gp2")
    return { sizeGiB, volumeType, iops: Math.min(16_000, Math.max(100, sizeGiB * 3)) };
  if (volumeType === "io1" || volumeType === "io2") {
    if (wanted.iops === undefined)
      throw invalidParameter(`The parameter iops must be specified for ${volumeType} volumes.`);
    return { sizeGiB, volumeType, iops: wanted.iops };
  }
  return { sizeGiB, volumeType };
}
