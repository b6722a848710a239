import { GarrisonError } from "@garrison/core/garrison-error";
import type { RestorePoint } from "@garrison/repository/point/read-point";

export type PointKind = "image" | "stream";

export function kindOf(point: RestorePoint): PointKind {
  return point.volumes.some((volume) => volume.kind === "stream") ? "stream" : "image";
}

/** A point of the other kind is for the other command; a name that has points of one kind keeps to it. */
export function requireKind(point: RestorePoint | undefined, wanted: PointKind): void {
  if (point === undefined || kindOf(point) === wanted) return;
  const kind = kindOf(point);
  const article = kind === "image" ? "an" : "a";
  const command = `it is for \`garrison ${kind} backup\` and \`garrison ${kind} restore\``;
  throw new GarrisonError(
    "point-kind-wrong",
    `${point.name}, restore point ${point.sessionId}, holds ${article} ${kind}: ${command}`,
  );
}
