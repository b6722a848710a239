import type { GetObjectCommandInput, HeadObjectCommandInput } from "@aws-sdk/client-s3";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import type { ByteRange } from "./blob-store.ts";
import { authorizeKeyUse } from "./key-access.ts";
import { encryptionMembers, shownVersionId } from "./new-version.ts";
import type { ObjectVersion } from "./object-record.ts";
import { currentVersion } from "./object-versions.ts";
import { rangeOfPart, rangeOfRequest } from "./object-range.ts";
import { onBucket, onObject, openBucket, type BucketCall, type ObjectAction } from "./s3-access.ts";
import { accessDenied, noSuchKey, noSuchVersion, preconditionFailed } from "./s3-error.ts";
import { matchesEtag } from "./write-conditions.ts";

export async function getObject(input: GetObjectCommandInput, call: Call) {
  const at = await openBucket(input, call);
  const version = findReadable(at, input, "s3:GetObject");
  checkReadConditions(input, version);
  authorizeKeyUse(at, { key: input.Key ?? "", encryption: version.encryption, actions: ["kms:Decrypt"] });
  const range = rangeOf(input, version);
  return {
    ...describeObject(at, input, { version, range }),
    ...(input.ResponseCacheControl ? { CacheControl: input.ResponseCacheControl } : {}),
    ...(input.ResponseContentDisposition ? { ContentDisposition: input.ResponseContentDisposition } : {}),
    ...(input.ResponseContentEncoding ? { ContentEncoding: input.ResponseContentEncoding } : {}),
    ...(input.ResponseContentLanguage ? { ContentLanguage: input.ResponseContentLanguage } : {}),
    ...(input.ResponseContentType ? { ContentType: input.ResponseContentType } : {}),
    ...(input.ResponseExpires ? { ExpiresString: input.ResponseExpires.toUTCString() } : {}),
    Body: at.store.blobs.read(version.segments, range),
  };
}

export async function headObject(input: HeadObjectCommandInput, call: Call) {
  const at = await openBucket(input, call);
  const version = findReadable(at, input, "s3:GetObject");
  checkReadConditions(input, version);
  if (input.ChecksumMode === "ENABLED")
    authorizeKeyUse(at, { key: input.Key ?? "", encryption: version.encryption, actions: ["kms:Decrypt"] });
  return describeObject(at, input, { version, range: rangeOf(input, version) });
}

interface ReadInput {
  readonly Key: string | undefined;
  readonly VersionId?: string | undefined;
}

/**
 * The version to read, authorised. A caller without s3:ListBucket isn't told that a key doesn't exist: it is denied,
 * as S3 does.
 */
export function findReadable(at: BucketCall, input: ReadInput, action: string): ObjectVersion {
  return findPermitted(at, input, { action: input.VersionId ? `${action}Version` : action });
}

/** The same under a right whose name is the same for the current and for a named version. */
export function findPermitted(
  at: BucketCall,
  input: ReadInput,
  right: Pick<ObjectAction, "action" | "context">,
): ObjectVersion {
  const { call, store, bucket } = at;
  const key = input.Key ?? "";
  const entry = store.find(bucket.name, key);
  const named = entry?.versions.find(({ versionId }) => versionId === input.VersionId);
  const version = input.VersionId === undefined ? currentVersion(entry) : named;
  call.authorize(onObject(at, { ...right, key, version }));
  if (version === undefined) {
    if (!call.isAllowed(onBucket(at, "s3:ListBucket"))) throw accessDenied();
    if (input.VersionId !== undefined) throw noSuchVersion(key, input.VersionId);
    throw noSuchKey(key, entry?.versions[0]?.versionId);
  }
  if (version.deleteMarker) {
    throw new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      status: 405,
      members: { Method: call.request.method, ResourceType: "DeleteMarker" },
      headers: { "x-amz-delete-marker": "true", "x-amz-version-id": version.versionId },
    });
  }
  return version;
}

interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

/** RFC 9110's order: If-Match, else If-Unmodified-Since; then If-None-Match, else If-Modified-Since. */
export function checkReadConditions(input: ReadConditions, version: ObjectVersion): void {
  const modifiedSeconds = Math.floor(version.modifiedMs / 1000);
  const isAfter = (date: Date) => modifiedSeconds > Math.floor(date.getTime() / 1000);
  if (input.IfMatch !== undefined) {
    if (!matchesEtag(input.IfMatch, version.etag)) throw preconditionFailed("If-Match");
  } else if (input.IfUnmodifiedSince !== undefined && isAfter(input.IfUnmodifiedSince)) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  const unchanged =
    input.IfNoneMatch === undefined
      ? input.IfModifiedSince !== undefined && !isAfter(input.IfModifiedSince)
      : matchesEtag(input.IfNoneMatch, version.etag);
  if (unchanged) throw new AwsError("304", "Not Modified", { status: 304, headers: { ETag: version.etag } });
}

interface RangeInput {
  readonly Range?: string | undefined;
  readonly PartNumber?: number | undefined;
}

function rangeOf(input: RangeInput, version: ObjectVersion): ByteRange | undefined {
  return input.PartNumber === undefined
    ? rangeOfRequest(input.Range, version)
    : rangeOfPart(input.PartNumber, version);
}

interface Described {
  readonly version: ObjectVersion;
  readonly range: ByteRange | undefined;
}

interface DescribeInput extends RangeInput {
  readonly ChecksumMode?: string | undefined;
}

function describeObject(at: BucketCall, input: DescribeInput, { version, range }: Described) {
  const tagCount = Object.keys(version.tags).length;
  return {
    ...version.headers,
    AcceptRanges: "bytes",
    ETag: version.etag,
    LastModified: new Date(version.modifiedMs),
    ContentLength: range === undefined ? version.sizeBytes : range.end - range.start + 1,
    ...(range === undefined
      ? {}
      : { ContentRange: `bytes ${range.start}-${range.end}/${version.sizeBytes}` }),
    Metadata: version.metadata,
    VersionId: shownVersionId(at.bucket, version.versionId),
    ...(version.storageClass === "STANDARD" ? {} : { StorageClass: version.storageClass }),
    ...(tagCount === 0 ? {} : { TagCount: tagCount }),
    ...(input.PartNumber === undefined ? {} : { PartsCount: version.parts?.length ?? 1 }),
    ...encryptionMembers(version.encryption),
    ...lockMembers(version),
    // A checksum of the whole would make clients reject a part.
    ...(input.ChecksumMode === "ENABLED" && range === undefined ? checksumMembers(version) : {}),
  };
}

function lockMembers({ retention, legalHold }: ObjectVersion) {
  return {
    ...(retention
      ? { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: new Date(retention.untilMs) }
      : {}),
    ...(legalHold ? { ObjectLockLegalHoldStatus: "ON" } : {}),
  };
}

export function checksumMembers({ checksum }: ObjectVersion): Record<string, string> {
  if (checksum === undefined) return {};
  return { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type };
}
