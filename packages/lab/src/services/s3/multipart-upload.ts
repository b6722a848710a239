import type {
  AbortMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
  ListMultipartUploadsCommandInput,
  ListPartsCommandInput,
} from "@aws-sdk/client-s3";
import type { Call } from "../../wire/operation-handler.ts";
import { isCrc } from "./checksums.ts";
import { parseAlgorithm } from "./expected-checksums.ts";
import { canonicalId } from "./list-objects.ts";
import { authorizeKeyUse } from "./key-access.ts";
import { describeVersion, encryptionMembers } from "./new-version.ts";
import type { UploadRecord } from "./object-record.ts";
import { authorizeNewObject } from "./put-object.ts";
import { onBucket, onObject, openBucket, type BucketCall } from "./s3-access.ts";
import { invalidRequest, noSuchUpload } from "./s3-error.ts";
import { newOpaqueId } from "./s3-store.ts";
import { compareKeys } from "./sorted-keys.ts";

export async function createMultipartUpload(input: CreateMultipartUploadCommandInput, call: Call) {
  const at = await openBucket(input, call);
  authorizeNewObject(at, input, false);
  const description = describeVersion(at, input);
  authorizeKeyUse(at, {
    key: input.Key ?? "",
    encryption: description.encryption,
    actions: ["kms:GenerateDataKey", "kms:Decrypt"],
  });
  const algorithm = parseAlgorithm(input.ChecksumAlgorithm);
  const type = input.ChecksumType ?? (algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  if (algorithm !== undefined && type === "FULL_OBJECT" && !isCrc(algorithm)) {
    throw invalidRequest(
      `The FULL_OBJECT checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  const upload: UploadRecord = {
    ...description,
    uploadId: newOpaqueId(),
    bucket: at.bucket.name,
    key: input.Key ?? "",
    accountId: call.accountId,
    initiatorArn: call.principal.arn,
    startedMs: call.lab.clock.now(),
    ...(algorithm === undefined ? {} : { checksumAlgorithm: algorithm, checksumType: type }),
  };
  at.store.uploads.put(upload.uploadId, upload);
  return {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    ...encryptionMembers(upload.encryption),
    ...checksumKind(upload),
  };
}

interface UploadInput {
  readonly Key: string | undefined;
  readonly UploadId: string | undefined;
}

/** The open upload of that id on that key, or NoSuchUpload. */
export function findUpload({ store, bucket }: BucketCall, { UploadId = "", Key }: UploadInput): UploadRecord {
  const upload = store.uploads.get(UploadId);
  if (upload === undefined || upload.bucket !== bucket.name || upload.key !== Key)
    throw noSuchUpload(UploadId);
  return upload;
}

export function checksumKind({ checksumAlgorithm, checksumType }: UploadRecord) {
  return checksumAlgorithm === undefined
    ? {}
    : { ChecksumAlgorithm: checksumAlgorithm, ChecksumType: checksumType };
}

export async function abortMultipartUpload(input: AbortMultipartUploadCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onObject(at, { action: "s3:AbortMultipartUpload", key: input.Key ?? "" }));
  const { uploadId } = findUpload(at, input);
  const segments = at.store.partsOf(uploadId).map(({ segment }) => segment);
  at.store.removeUpload(uploadId);
  await at.store.blobs.delete(segments);
  return {};
}

export async function listParts(input: ListPartsCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onObject(at, { action: "s3:ListMultipartUploadParts", key: input.Key ?? "" }));
  const upload = findUpload(at, input);
  const marker = Number(input.PartNumberMarker ?? 0);
  const maxParts = Math.min(input.MaxParts ?? 1000, 1000);
  const rest = at.store.partsOf(upload.uploadId).filter(({ number }) => number > marker);
  const page = rest.slice(0, maxParts);
  const truncated = rest.length > page.length;
  return {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumberMarker: String(marker),
    ...(truncated ? { NextPartNumberMarker: String(page.at(-1)?.number ?? marker) } : {}),
    MaxParts: maxParts,
    IsTruncated: truncated,
    StorageClass: upload.storageClass,
    ...checksumKind(upload),
    Initiator: { ID: upload.initiatorArn },
    Owner: { ID: canonicalId(at.bucket.accountId) },
    Parts: page.map((part) => ({
      PartNumber: part.number,
      ETag: part.etag,
      Size: part.sizeBytes,
      LastModified: new Date(part.modifiedMs),
      ...(part.checksum && upload.checksumAlgorithm
        ? { [`Checksum${upload.checksumAlgorithm}`]: part.checksum }
        : {}),
    })),
  };
}

export async function listMultipartUploads(input: ListMultipartUploadsCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:ListBucketMultipartUploads"));
  const { Prefix = "", KeyMarker = "", UploadIdMarker = "" } = input;
  const maxUploads = Math.min(input.MaxUploads ?? 1000, 1000);
  const order = (left: UploadRecord, right: UploadRecord) =>
    compareKeys(left.key, right.key) || compareKeys(left.uploadId, right.uploadId);
  const isAfterMarker = ({ key, uploadId }: UploadRecord) => {
    const compared = compareKeys(key, KeyMarker);
    return (
      compared > 0 || (compared === 0 && UploadIdMarker !== "" && compareKeys(uploadId, UploadIdMarker) > 0)
    );
  };
  const found = [...at.store.uploads.values()]
    .filter(({ bucket, key }) => bucket === at.bucket.name && key.startsWith(Prefix))
    .filter((upload) => KeyMarker === "" || isAfterMarker(upload))
    .sort(order);
  const page = found.slice(0, maxUploads);
  const last = found.length > page.length ? page.at(-1) : undefined;
  return {
    Bucket: at.bucket.name,
    Prefix,
    KeyMarker,
    UploadIdMarker,
    MaxUploads: maxUploads,
    IsTruncated: last !== undefined,
    ...(last === undefined ? {} : { NextKeyMarker: last.key, NextUploadIdMarker: last.uploadId }),
    Uploads: page.map((upload) => ({
      Key: upload.key,
      UploadId: upload.uploadId,
      Initiated: new Date(upload.startedMs),
      StorageClass: upload.storageClass,
      Initiator: { ID: upload.initiatorArn },
      Owner: { ID: canonicalId(at.bucket.accountId) },
      ...checksumKind(upload),
    })),
  };
}
