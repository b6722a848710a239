import { GarrisonError } from "@garrison/core/garrison-error";
import { awsErrorCode, translateAwsError } from "./translate-aws-error.ts";

/** AWS's refusals in the words that the engine knows. */
export function storeError(error: unknown, doing: string): GarrisonError {
  const translated = translateAwsError(error, doing);
  const options = { cause: error, details: translated.details };
  switch (translated.code) {
    case "aws-throttled":
    case "aws-unavailable":
      return new GarrisonError("store-unavailable", doing, options);
    case "aws-access-denied":
    case "aws-credentials-missing":
      return new GarrisonError("store-access-denied", translated.message, options);
    case "aws-credentials-expired":
      return new GarrisonError("store-credentials-expired", doing, options);
    case "aws-limit-exceeded":
      return new GarrisonError("store-full", doing, options);
    default:
      return translated;
  }
}

// A delete marker has no bytes: asked for by its id, S3 says that the method is not allowed.
const absences = new Set(["NoSuchKey", "NoSuchVersion", "MethodNotAllowed"]);

export function readError(error: unknown, doing: string): GarrisonError {
  const code = awsErrorCode(error);
  if (code !== undefined && absences.has(code)) {
    return new GarrisonError("object-missing", `${doing}: there is no such object`, { cause: error });
  }
  if (code === "InvalidRange") {
    return new GarrisonError("object-truncated", `${doing}: it ends before the range asked for`, {
      cause: error,
    });
  }
  return storeError(error, doing);
}
