import { AwsError } from "../../wire/aws-error.ts";

export function noSuchBucket(bucket: string): AwsError {
  return new AwsError("NoSuchBucket", "The specified bucket does not exist", {
    status: 404,
    members: { BucketName: bucket },
  });
}

export function noSuchKey(key: string, deleteMarkerVersion?: string): AwsError {
  return new AwsError("NoSuchKey", "The specified key does not exist.", {
    status: 404,
    members: { Key: key },
    ...(deleteMarkerVersion === undefined
      ? {}
      : { headers: { "x-amz-delete-marker": "true", "x-amz-version-id": deleteMarkerVersion } }),
  });
}

export function noSuchVersion(key: string, versionId: string): AwsError {
  return new AwsError("NoSuchVersion", "The specified version does not exist.", {
    status: 404,
    members: { Key: key, VersionId: versionId },
  });
}

export function noSuchUpload(uploadId: string): AwsError {
  return new AwsError(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { status: 404, members: { UploadId: uploadId } },
  );
}

export function preconditionFailed(condition: string): AwsError {
  return new AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    status: 412,
    members: { Condition: condition },
  });
}

export function conditionalConflict(key: string): AwsError {
  return new AwsError(
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
    { status: 409, members: { Key: key } },
  );
}

export function badDigest(what: string): AwsError {
  return new AwsError("BadDigest", `The ${what} you specified did not match the calculated checksum.`, {
    status: 400,
  });
}

export function invalidArgument(message: string, name?: string): AwsError {
  return new AwsError("InvalidArgument", message, {
    status: 400,
    ...(name === undefined ? {} : { members: { ArgumentName: name } }),
  });
}

export function invalidRequest(message: string): AwsError {
  return new AwsError("InvalidRequest", message, { status: 400 });
}

export function accessDenied(message = "Access Denied"): AwsError {
  return new AwsError("AccessDenied", message, { status: 403 });
}

export function aclsNotSupported(): AwsError {
  return new AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", { status: 400 });
}

export function malformedAcl(): AwsError {
  const message = "The XML you provided was not well-formed or did not validate against our published schema";
  return new AwsError("MalformedACLError", message, { status: 400 });
}
