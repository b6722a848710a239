import { formatSize } from "@garrison/core/units";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import type { PointVolume, RestorePoint } from "@garrison/repository/point/read-point";
import { kindOf } from "./require-kind.ts";

export interface ListedPoint extends RestorePoint {
  readonly domain: string;
  /** Present when a check has found that parts of the point are lost; 0 when only its tables are. */
  readonly lostBytes?: number;
}

/** A table for people: one restore point a line. */
export function formatPoints(points: readonly ListedPoint[]): string {
  if (points.length === 0) return "There are no restore points.\n";
  const isAnyDamaged = points.some((point) => point.lostBytes !== undefined);
  const rows = points.map((point) => [
    point.sessionId,
    new Date(point.createdAtMs).toISOString().replace("T", " ").slice(0, 19),
    point.domain,
    kindOf(point),
    point.name,
    formatSize(sum(point.volumes.map((volume) => volume.sizeBytes))),
    formatSize(sum(point.volumes.map(dataBytes))),
    formatSize(sum(point.volumes.map((volume) => volume.bytesStored))),
    ...(isAnyDamaged ? [point.lostBytes === undefined ? "-" : formatSize(point.lostBytes)] : []),
  ]);
  const head = ["POINT", "MADE (UTC)", "DOMAIN", "KIND", "NAME", "SIZE", "DATA", "ADDED"];
  return formatTable([isAnyDamaged ? [...head, "LOST"] : head, ...rows]);
}

/** What a volume holds besides zeros: a stream all of its bytes. */
function dataBytes({ kind, sizeBytes, blocksHeld }: PointVolume): number {
  return kind === "stream" ? sizeBytes : blocksHeld * blockSizeBytes;
}

/** Columns as wide as their widest cell, two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
