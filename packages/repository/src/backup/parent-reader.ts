import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { VolumeReader } from "../point/volume-reader.ts";

/**
 * A parent's volume as a backup reads it: a page that is gone or cut short, and has not been moved elsewhere either, makes
 * the parent unusable, which the caller can answer by reading in full. It is no failure of the session's own objects.
 */
export function openParentReader<Reader extends VolumeReader>(reader: Reader): Reader {
  return {
    ...reader,
    interior: (slot) => orUnusable(reader.interior(slot)),
    leafReference: (leaf) => orUnusable(reader.leafReference(leaf)),
    leaf: (leaf) => orUnusable(reader.leaf(leaf)),
    table: () => orUnusable(reader.table()),
    hooks: () => orUnusable(reader.hooks()),
  };
}

async function orUnusable<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    const isLost = isGarrisonError(error, "object-missing") || isGarrisonError(error, "object-truncated");
    if (!isLost) throw error;
    throw new GarrisonError("parent-unusable", `the parent restore point has lost a page: ${error.message}`, {
      cause: error,
    });
  }
}
