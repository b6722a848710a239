import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { findNewestPoint } from "@garrison/repository/point/find-newest-point";
import { findPoint as findStoredPoint } from "@garrison/repository/point/list-points";
import type { PointVolume, RestorePoint } from "@garrison/repository/point/read-point";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import type { CliContext } from "../cli-context.ts";
import { requireKind } from "./require-kind.ts";

/** A restore point by its id, or the newest of a name. Throws `point-missing`. */
export async function findPoint(
  wanted: { readonly store: ObjectStore; readonly keys: DomainKeys; readonly point: string },
  context: CliContext,
): Promise<RestorePoint> {
  if (/^[0-9a-f]{16}$/.test(wanted.point)) {
    const found = await findStoredPoint(wanted, wanted.point, context);
    if (found !== undefined) return found;
  }
  const newest = await findNewestPoint({ ...wanted, clock: context.clock }, wanted.point, context);
  if (newest !== undefined) return newest;
  throw new GarrisonError(
    "point-missing",
    `no restore point has the id or name ${wanted.point} in ${wanted.keys.domain}`,
  );
}

/** The volume asked for, by id or device name, or the only one. A point that holds a stream is refused. */
export function chooseVolume(point: RestorePoint, wanted: string | undefined): PointVolume {
  requireKind(point, "image");
  if (wanted === undefined && point.volumes.length === 1) return point.volumes[0]!;
  const found = point.volumes.find((volume) => volume.volumeId === wanted || volume.deviceName === wanted);
  if (found !== undefined) return found;
  const names = point.volumes.map((volume) => volume.volumeId).join(", ");
  throw new GarrisonError("usage", `choose a volume of the restore point with --volume: ${names}`);
}
