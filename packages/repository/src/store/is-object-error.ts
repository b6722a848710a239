import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";

/** Whether an error tells of one object: it is gone, or not what it should be. Others tell of the store or the caller. */
export function isObjectError(error: unknown): error is GarrisonError {
  return isGarrisonError(error) && error.code.startsWith("object-");
}
