import { createHash } from "node:crypto";
import type { CompletedPart, CompleteMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { openDigest } from "./checksums.ts";
import { checksumMember } from "./expected-checksums.ts";
import { findUpload } from "./multipart-upload.ts";
import { encryptionMembers, newVersionId, shownVersionId, wholeSecond } from "./new-version.ts";
import type { ObjectChecksum, ObjectVersion, UploadPartRecord, UploadRecord } from "./object-record.ts";
import { authorizeNewObject } from "./put-object.ts";
import { openBucket, type BucketCall } from "./s3-access.ts";
import { badDigest, invalidRequest } from "./s3-error.ts";
import type { CompletedUpload } from "./s3-store.ts";
import { matchesEtag, openConditionalWrite } from "./write-conditions.ts";

const smallestPartBytes = 5 * 1024 ** 2;

export async function completeMultipartUpload(input: CompleteMultipartUploadCommandInput, call: Call) {
  const at = await openBucket(input, call);
  authorizeNewObject(at, { Key: input.Key });
  const repeated = at.store.completedUploads.get(input.UploadId ?? "");
  if (repeated !== undefined) return describeResult(at, input, repeated);
  const upload = findUpload(at, input);
  const write = openConditionalWrite(at, upload.key, input);
  try {
    const parts = chooseParts(at, upload, input.MultipartUpload?.Parts ?? []);
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== sizeBytes) {
      throw invalidRequest(
        "The provided 'x-amz-mp-object-size' header value does not match what was computed",
      );
    }
    const version: ObjectVersion = {
      versionId: newVersionId(at.bucket),
      etag: etagOfParts(parts),
      sizeBytes,
      modifiedMs: wholeSecond(call.lab.clock.now()),
      segments: parts.map(({ segment }) => segment),
      headers: upload.headers,
      metadata: upload.metadata,
      tags: upload.tags,
      encryption: upload.encryption,
      storageClass: upload.storageClass,
      retention: upload.retention,
      legalHold: upload.legalHold,
      checksum: await checksumOfParts(at, upload, parts),
      parts: parts.map(({ number, sizeBytes, checksum }) => ({ number, sizeBytes, checksum })),
    };
    const expected = upload.checksumAlgorithm && checksumMember(input, upload.checksumAlgorithm);
    if (expected !== undefined && expected !== version.checksum?.value)
      throw badDigest(upload.checksumAlgorithm ?? "");
    await commit(at, { upload, version, commit: write.commit });
    const completed = { etag: version.etag, versionId: version.versionId };
    at.store.rememberCompleted(upload.uploadId, completed);
    return {
      ...describeResult(at, input, completed),
      ...(version.checksum
        ? {
            [`Checksum${version.checksum.algorithm}`]: version.checksum.value,
            ChecksumType: version.checksum.type,
          }
        : {}),
      ...encryptionMembers(version.encryption),
    };
  } finally {
    write.close();
  }
}

interface Completion {
  readonly upload: UploadRecord;
  readonly version: ObjectVersion;
  readonly commit: (version: ObjectVersion) => Promise<void>;
}

async function commit(at: BucketCall, { upload, version, commit }: Completion): Promise<void> {
  // Reading for the checksum took time: the upload may be gone.
  findUpload(at, { Key: upload.key, UploadId: upload.uploadId });
  const used = new Set(version.segments.map(({ file }) => file));
  const unused = at.store
    .partsOf(upload.uploadId)
    .map(({ segment }) => segment)
    .filter(({ file }) => !used.has(file));
  await commit(version);
  at.store.removeUpload(upload.uploadId);
  await at.store.blobs.delete(unused);
}

function describeResult(
  at: BucketCall,
  input: CompleteMultipartUploadCommandInput,
  completed: CompletedUpload,
) {
  return {
    Bucket: at.bucket.name,
    Key: input.Key,
    Location: `${at.call.lab.endpoint()}/${at.bucket.name}/${encodeURIComponent(input.Key ?? "")}`,
    ETag: completed.etag,
    VersionId: shownVersionId(at.bucket, completed.versionId ?? "null"),
  };
}

function chooseParts(
  at: BucketCall,
  upload: UploadRecord,
  asked: readonly CompletedPart[],
): UploadPartRecord[] {
  if (asked.length === 0) throw new AwsError("MalformedXML", "The XML you provided was not well-formed");
  const stored = new Map(at.store.partsOf(upload.uploadId).map((part) => [part.number, part]));
  let previous = 0;
  return asked.map((wanted, index) => {
    const { PartNumber = 0, ETag = "" } = wanted;
    if (PartNumber <= previous) {
      throw new AwsError(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
      );
    }
    previous = PartNumber;
    const part = stored.get(PartNumber);
    const checksum = upload.checksumAlgorithm && checksumMember(wanted, upload.checksumAlgorithm);
    if (
      part === undefined ||
      !matchesEtag(ETag, part.etag) ||
      (checksum !== undefined && checksum !== part.checksum)
    ) {
      throw new AwsError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { members: { UploadId: upload.uploadId, PartNumber, ETag } },
      );
    }
    if (part.sizeBytes < smallestPartBytes && index < asked.length - 1) {
      throw new AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        members: { PartNumber, ProposedSize: part.sizeBytes, MinSizeAllowed: smallestPartBytes },
      });
    }
    return part;
  });
}

function etagOfParts(parts: readonly UploadPartRecord[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(Buffer.from(etag.replaceAll('"', ""), "hex"));
  return `"${hash.digest("hex")}-${parts.length}"`;
}

/** A checksum of checksums, or the CRC of the whole, for which the parts are read once more. */
async function checksumOfParts(
  at: BucketCall,
  upload: UploadRecord,
  parts: readonly UploadPartRecord[],
): Promise<ObjectChecksum | undefined> {
  const { checksumAlgorithm: algorithm, checksumType } = upload;
  if (algorithm === undefined) return undefined;
  const digest = openDigest(algorithm);
  if (checksumType === "FULL_OBJECT") {
    for await (const chunk of at.store.blobs.read(parts.map(({ segment }) => segment)))
      digest.update(chunk as Buffer);
    return { algorithm, value: digest.digest().toString("base64"), type: "FULL_OBJECT" };
  }
  for (const { checksum = "" } of parts) digest.update(Buffer.from(checksum, "base64"));
  return { algorithm, value: `${digest.digest().toString("base64")}-${parts.length}`, type: "COMPOSITE" };
}
