import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import type { Call } from "../../wire/operation-handler.ts";
import { parseAlgorithm } from "./expected-checksums.ts";
import { checkReadConditions, findReadable } from "./get-object.ts";
import {
  describeVersion,
  encryptionMembers,
  newVersionId,
  shownVersionId,
  wholeSecond,
} from "./new-version.ts";
import type { ObjectVersion } from "./object-record.ts";
import { authorizeNewObject, keepOrDelete } from "./put-object.ts";
import { authorizeKeyUse } from "./key-access.ts";
import { openBucket, type BucketCall } from "./s3-access.ts";
import { invalidArgument, invalidRequest } from "./s3-error.ts";
import { openConditionalWrite } from "./write-conditions.ts";

export async function copyObject(input: CopyObjectCommandInput, call: Call) {
  const at = await openBucket(input, call);
  const source = await openCopySource(input, call);
  authorizeNewObject(at, input);
  checkSelfCopy(at, input, source);
  const key = input.Key ?? "";
  const description = describeCopy(at, input, source.version);
  authorizeKeyUse(at, { key, encryption: description.encryption, actions: ["kms:GenerateDataKey"] });
  const algorithm =
    parseAlgorithm(input.ChecksumAlgorithm) ?? source.version.checksum?.algorithm ?? "CRC64NVME";
  const write = openConditionalWrite(at, key, input);
  try {
    const written = await at.store.blobs.write(at.store.blobs.read(source.version.segments), [algorithm]);
    const version: ObjectVersion = {
      ...description,
      versionId: newVersionId(at.bucket),
      etag: `"${written.md5.toString("hex")}"`,
      sizeBytes: written.segment.sizeBytes,
      modifiedMs: wholeSecond(call.lab.clock.now()),
      segments: [written.segment],
      checksum: { algorithm, value: written.digests[algorithm]!, type: "FULL_OBJECT" },
    };
    await keepOrDelete(at, written, () => write.commit(version));
    return {
      CopyObjectResult: {
        ETag: version.etag,
        LastModified: new Date(version.modifiedMs),
        [`Checksum${algorithm}`]: version.checksum?.value,
        ChecksumType: "FULL_OBJECT",
      },
      CopySourceVersionId: shownVersionId(source.at.bucket, source.version.versionId),
      VersionId: shownVersionId(at.bucket, version.versionId),
      ...encryptionMembers(version.encryption),
    };
  } finally {
    write.close();
  }
}

export interface CopySource {
  readonly at: BucketCall;
  readonly key: string;
  readonly version: ObjectVersion;
}

export interface CopySourceInput {
  readonly CopySource: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/** The object named by `bucket/key?versionId=…`, authorised for reading and with its conditions checked. */
export async function openCopySource(input: CopySourceInput, call: Call): Promise<CopySource> {
  const [path = "", versionId] = (input.CopySource ?? "").split("?versionId=");
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decodeURIComponent(path));
  if (match === null)
    throw invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  const [, bucket = "", key = ""] = match;
  const at = await openBucket(
    { Bucket: bucket, ExpectedBucketOwner: input.ExpectedSourceBucketOwner },
    call,
    {
      anyRegion: true,
    },
  );
  const version = findReadable(at, { Key: key, VersionId: versionId }, "s3:GetObject");
  const conditions = {
    IfMatch: input.CopySourceIfMatch,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  };
  checkReadConditions(conditions, version);
  authorizeKeyUse(at, { key, encryption: version.encryption, actions: ["kms:Decrypt"] });
  return { at, key, version };
}

function describeCopy(at: BucketCall, input: CopyObjectCommandInput, source: ObjectVersion) {
  const asked = describeVersion(at, input);
  return {
    ...asked,
    ...(input.MetadataDirective === "REPLACE" ? {} : { metadata: source.metadata, headers: source.headers }),
    ...(input.TaggingDirective === "REPLACE" ? {} : { tags: source.tags }),
  };
}

function checkSelfCopy(at: BucketCall, input: CopyObjectCommandInput, source: CopySource): void {
  const same = source.at.bucket.name === at.bucket.name && source.key === input.Key;
  const changes = input.MetadataDirective === "REPLACE" || input.StorageClass || input.ServerSideEncryption;
  if (!same || changes || source.version !== at.store.find(at.bucket.name, source.key)?.versions[0]) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}
