import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";
import { isObjectError } from "../store/is-object-error.ts";

/** Whether an error says that a pack table, or a page that it is proven by, can't be read. */
export function isTableDamage(error: unknown): error is GarrisonError {
  return isObjectError(error) || isGarrisonError(error, "page-damaged");
}
