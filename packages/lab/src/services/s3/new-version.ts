import type { Call } from "../../wire/operation-handler.ts";
import type { BucketCall } from "./s3-access.ts";
import type {
  BucketRecord,
  ObjectEncryption,
  ObjectHeaders,
  ObjectRetention,
  ObjectVersion,
} from "./object-record.ts";
import { AwsError } from "../../wire/aws-error.ts";
import { invalidArgument, invalidRequest } from "./s3-error.ts";
import { newOpaqueId } from "./s3-store.ts";

/** The members that put, copy and multipart creation share. */
export interface NewObjectInput {
  readonly Key?: string | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly Tagging?: string | undefined;
  readonly StorageClass?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

/** What a new version takes from its request; contents, size and ETag come with the bytes. */
export type VersionDescription = Pick<
  ObjectVersion,
  "headers" | "metadata" | "tags" | "encryption" | "storageClass" | "retention" | "legalHold"
>;

export function describeVersion(at: BucketCall, input: NewObjectInput): VersionDescription {
  checkKey(input.Key ?? "");
  const metadata = input.Metadata ?? {};
  if (Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0) > 2048) {
    throw new AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size");
  }
  return {
    headers: headersOf(input, at.call),
    metadata,
    tags: parseTagging(input.Tagging),
    encryption: encryptionOf(at.bucket, input),
    storageClass: input.StorageClass ?? "STANDARD",
    retention: retentionOf(at, input),
    ...(input.ObjectLockLegalHoldStatus === "ON" ? { legalHold: true } : {}),
  };
}

/** `null` unless the bucket keeps versions. */
export function newVersionId(bucket: BucketRecord): string {
  return bucket.versioning === "Enabled" ? newOpaqueId() : "null";
}

/** S3 knows when a version was made to the second. */
export function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}

/** The version id as answers carry it: absent for buckets that never were versioned. */
export function shownVersionId(bucket: BucketRecord, versionId: string): string | undefined {
  return bucket.versioning === undefined ? undefined : versionId;
}

/** The members by which answers tell how an object is encrypted. */
export function encryptionMembers({ algorithm, keyId, bucketKey }: ObjectEncryption) {
  return {
    ServerSideEncryption: algorithm,
    ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }),
    ...(bucketKey ? { BucketKeyEnabled: true } : {}),
  };
}

export function parseTagging(tagging: string | undefined): Record<string, string> {
  if (tagging === undefined || tagging === "") return {};
  return checkTags([...new URLSearchParams(tagging)]);
}

export function checkTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const invalid = (message: string) => new AwsError("InvalidTag", message, { status: 400 });
  if (pairs.length > 10)
    throw new AwsError("BadRequest", "Object tags cannot be greater than 10", { status: 400 });
  const tags: Record<string, string> = {};
  for (const [name, value] of pairs) {
    if (name in tags) throw invalid("Cannot provide multiple Tags with the same key");
    if (name === "" || name.length > 128) throw invalid("The TagKey you have provided is invalid");
    if (value.length > 256) throw invalid("The TagValue you have provided is invalid");
    tags[name] = value;
  }
  return tags;
}

function checkKey(key: string): void {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes === 0) throw invalidArgument("Object key must not be empty", "key");
  if (sizeBytes > 1024) throw new AwsError("KeyTooLongError", "Your key is too long", { status: 400 });
}

function headersOf(input: NewObjectInput, call: Call): ObjectHeaders {
  const expires = call.request.headers["expires"];
  // What remains of `Content-Encoding: aws-chunked,gzip` is the object's own encoding.
  const encoding = input.ContentEncoding?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "aws-chunked" && part !== "")
    .join(",");
  return {
    CacheControl: input.CacheControl,
    ContentDisposition: input.ContentDisposition,
    ContentEncoding: encoding === "" ? undefined : encoding,
    ContentLanguage: input.ContentLanguage,
    ContentType: input.ContentType ?? "binary/octet-stream",
    ExpiresString: expires,
    WebsiteRedirectLocation: input.WebsiteRedirectLocation,
  };
}

interface DefaultEncryption {
  readonly Rules?: readonly {
    readonly ApplyServerSideEncryptionByDefault?: {
      readonly SSEAlgorithm?: string;
      readonly KMSMasterKeyID?: string;
    };
    readonly BucketKeyEnabled?: boolean;
  }[];
}

function encryptionOf(bucket: BucketRecord, input: NewObjectInput): ObjectEncryption {
  const rule = (bucket.settings["encryption"] as DefaultEncryption | undefined)?.Rules?.[0];
  const chosen =
    input.ServerSideEncryption ?? rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? "AES256";
  if (chosen !== "AES256" && chosen !== "aws:kms" && chosen !== "aws:kms:dsse") {
    throw invalidArgument("The encryption method specified is not supported", "x-amz-server-side-encryption");
  }
  if (chosen === "AES256") return { algorithm: chosen };
  const keyId =
    input.SSEKMSKeyId ?? rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID ?? "alias/aws/s3";
  return { algorithm: chosen, keyId, bucketKey: input.BucketKeyEnabled ?? rule?.BucketKeyEnabled ?? false };
}

const dayMs = 86_400_000;

function retentionOf(at: BucketCall, input: NewObjectInput): ObjectRetention | undefined {
  const { objectLock } = at.bucket;
  const now = at.call.lab.clock.now();
  if (input.ObjectLockMode !== undefined || input.ObjectLockRetainUntilDate !== undefined) {
    if (objectLock === undefined) throw invalidRequest("Bucket is missing Object Lock Configuration");
    return checkRetention(input.ObjectLockMode, input.ObjectLockRetainUntilDate, now);
  }
  const days = objectLock?.days ?? (objectLock?.years ?? 0) * 365;
  if (objectLock?.mode === undefined || days === 0) return undefined;
  return { mode: objectLock.mode as ObjectRetention["mode"], untilMs: now + days * dayMs };
}

/** A retention as a request gives it, in the future and whole. */
export function checkRetention(
  mode: string | undefined,
  until: Date | undefined,
  nowMs: number,
): ObjectRetention {
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") throw invalidArgument("Unknown wormMode directive.");
  if (until === undefined || until.getTime() <= nowMs) {
    throw invalidArgument("The retain until date must be in the future!");
  }
  return { mode, untilMs: until.getTime() };
}
