import type { Problem } from "@garrison/api/schemas/shared";
import { errorTable } from "@garrison/core/error-table";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";

/** Our error for whatever was thrown. What has no code is `internal`: its text stays in the log, not in the answer. */
export function nameError(error: unknown): GarrisonError {
  if (isGarrisonError(error)) return error;
  const status = (error as { readonly statusCode?: unknown } | undefined)?.statusCode;
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new GarrisonError("request-invalid", "the request can't be read", { cause: error });
  }
  return new GarrisonError("internal", "the operation failed in a way that has no name yet", {
    cause: error,
  });
}

export function toProblem(error: GarrisonError): Problem {
  const { title, httpStatus, help } = errorTable[error.code];
  return {
    type: `https://garrison.dev/errors#${error.code}`,
    title,
    status: httpStatus,
    code: error.code,
    detail: error.message,
    help,
    ...(Object.keys(error.details).length === 0 ? {} : { details: { ...error.details } }),
  };
}
