import type { ValidationExceptionReason } from "@aws-sdk/client-ebs";
import { AwsError } from "../../wire/aws-error.ts";

export function validation(reason: ValidationExceptionReason | undefined, message: string): AwsError {
  return new AwsError("ValidationException", message, {
    status: 400,
    members: reason === undefined ? {} : { Reason: reason },
  });
}

export function snapshotNotFound(snapshotId: string): AwsError {
  return new AwsError("ResourceNotFoundException", `The snapshot '${snapshotId}' does not exist.`, {
    status: 404,
    members: { Reason: "SNAPSHOT_NOT_FOUND" },
  });
}

/** Usually KMS: the caller may call the API, but not use the snapshot's key. */
export function dependencyDenied(message: string): AwsError {
  return new AwsError("AccessDeniedException", message, {
    status: 403,
    members: { Reason: "DEPENDENCY_ACCESS_DENIED" },
  });
}

export function conflict(message: string): AwsError {
  return new AwsError("ConflictException", message, { status: 409 });
}
