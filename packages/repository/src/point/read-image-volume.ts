import { GarrisonError } from "@garrison/core/garrison-error";
import type { RecordVolume } from "../format/point-record.ts";
import type { StoreCall } from "../store/object-store.ts";
import { readRecord, type ReadPointDependencies } from "./read-point.ts";

export interface ImageVolumeAddress {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly volumeId: string;
}

/** A volume of a restore point that is an image. Throws `point-missing`, `point-kind-wrong` for a stream. */
export async function readImageVolume(
  dependencies: ReadPointDependencies,
  address: ImageVolumeAddress,
  call: StoreCall,
): Promise<RecordVolume> {
  const { series, point, volumeId } = address;
  const record = await readRecord(dependencies, { series, sessionId: point }, call);
  const volume = record.volumes.find((each) => each.volumeId === volumeId);
  if (volume === undefined) {
    throw new GarrisonError("point-missing", `restore point ${point} holds no volume ${volumeId}`);
  }
  if (volume.kind === "stream") {
    throw new GarrisonError("point-kind-wrong", `${volumeId} of restore point ${point} is a stream`);
  }
  return volume;
}
