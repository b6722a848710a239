import type { AclGrant } from "@garrison/iam/evaluation-case";
import type { Segment } from "./blob-store.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";

/** The headers that S3 keeps with an object and gives back as they came. */
export interface ObjectHeaders {
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly ExpiresString?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
}

export interface ObjectEncryption {
  readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  readonly keyId?: string | undefined;
  readonly bucketKey?: boolean | undefined;
}

export interface ObjectRetention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly untilMs: number;
}

export interface ObjectPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly checksum?: string | undefined;
}

/** One version of one key. Plain JSON: it lives in the journal. */
export interface ObjectVersion {
  /** `null` where the bucket wasn't versioned. */
  readonly versionId: string;
  readonly deleteMarker?: boolean;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly segments: readonly Segment[];
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly checksum?: ObjectChecksum | undefined;
  readonly encryption: ObjectEncryption;
  readonly storageClass: string;
  readonly retention?: ObjectRetention | undefined;
  readonly legalHold?: boolean | undefined;
  /** Where the bucket takes ACLs; absent: the bucket's owner may do everything. */
  readonly acl?: readonly AclGrant[] | undefined;
  readonly parts?: readonly ObjectPart[] | undefined;
}

/** All versions of one key, newest first; never empty. */
export interface ObjectEntry {
  readonly bucket: string;
  readonly key: string;
  readonly versions: readonly ObjectVersion[];
}

export interface BucketRecord {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly createdMs: number;
  readonly versioning?: "Enabled" | "Suspended" | undefined;
  readonly objectLock?:
    | { readonly mode?: string; readonly days?: number; readonly years?: number }
    | undefined;
  readonly policy?: object | undefined;
  readonly acl?: readonly AclGrant[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Configurations that are kept and given back as they came (lifecycle, encryption, public access block, ...). */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface UploadPartRecord {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly segment: Segment;
  readonly checksum?: string | undefined;
}

export interface UploadRecord {
  readonly uploadId: string;
  readonly bucket: string;
  readonly key: string;
  readonly accountId: string;
  readonly initiatorArn: string;
  readonly startedMs: number;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: "FULL_OBJECT" | "COMPOSITE" | undefined;
  readonly encryption: ObjectEncryption;
  readonly storageClass: string;
  readonly retention?: ObjectRetention | undefined;
  readonly legalHold?: boolean | undefined;
}
