import type { UploadPartCommandInput, UploadPartCopyCommandInput } from "@aws-sdk/client-s3";
import type { Call } from "../../wire/operation-handler.ts";
import { openBody } from "../../wire/read-body.ts";
import type { WrittenBlob } from "./blob-store.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import { openCopySource } from "./copy-object.ts";
import { chosenAlgorithm, verifyChecksums } from "./expected-checksums.ts";
import { findUpload } from "./multipart-upload.ts";
import { encryptionMembers, shownVersionId } from "./new-version.ts";
import type { UploadPartRecord, UploadRecord } from "./object-record.ts";
import { rangeOfRequest } from "./object-range.ts";
import { authorizeNewObject, keepOrDelete } from "./put-object.ts";
import { openBucket, type BucketCall } from "./s3-access.ts";
import { invalidArgument } from "./s3-error.ts";

export async function uploadPart(input: UploadPartCommandInput, call: Call) {
  const at = await openBucket(input, call);
  authorizeNewObject(at, { Key: input.Key }, false);
  const number = checkPartNumber(input.PartNumber);
  const upload = findUpload(at, input);
  const algorithm = upload.checksumAlgorithm ?? chosenAlgorithm(input, call);
  const algorithms = [...new Set([algorithm, chosenAlgorithm(input, call)])];
  const written = await at.store.blobs.write(openBody(input.Body), algorithms);
  const part = await keepPart(at, { upload, number, written, algorithm }, () =>
    verifyChecksums(input, written, call),
  );
  return {
    ETag: part.etag,
    [`Checksum${algorithm}`]: part.checksum,
    ...encryptionMembers(upload.encryption),
  };
}

export async function uploadPartCopy(input: UploadPartCopyCommandInput, call: Call) {
  const at = await openBucket(input, call);
  const source = await openCopySource(input, call);
  authorizeNewObject(at, { Key: input.Key }, false);
  const number = checkPartNumber(input.PartNumber);
  const upload = findUpload(at, input);
  const range = rangeOfRequest(input.CopySourceRange, source.version);
  const algorithm = upload.checksumAlgorithm ?? "CRC64NVME";
  const written = await at.store.blobs.write(at.store.blobs.read(source.version.segments, range), [
    algorithm,
  ]);
  const part = await keepPart(at, { upload, number, written, algorithm }, () => undefined);
  return {
    CopyPartResult: {
      ETag: part.etag,
      LastModified: new Date(part.modifiedMs),
      ...(upload.checksumAlgorithm ? { [`Checksum${algorithm}`]: part.checksum } : {}),
    },
    CopySourceVersionId: shownVersionId(source.at.bucket, source.version.versionId),
    ...encryptionMembers(upload.encryption),
  };
}

interface ArrivedPart {
  readonly upload: UploadRecord;
  readonly number: number;
  readonly written: WrittenBlob;
  readonly algorithm: ChecksumAlgorithm;
}

async function keepPart(at: BucketCall, arrived: ArrivedPart, verify: () => void): Promise<UploadPartRecord> {
  const { upload, number, written, algorithm } = arrived;
  const part: UploadPartRecord = {
    number,
    etag: `"${written.md5.toString("hex")}"`,
    sizeBytes: written.segment.sizeBytes,
    modifiedMs: at.call.lab.clock.now(),
    segment: written.segment,
    checksum: written.digests[algorithm],
  };
  await keepOrDelete(at, written, async () => {
    verify();
    // The upload may have been aborted or completed while the part was on its way.
    findUpload(at, { Key: upload.key, UploadId: upload.uploadId });
    const replaced = at.store.putPart(upload.uploadId, part);
    if (replaced !== undefined) await at.store.blobs.delete([replaced.segment]);
  });
  return part;
}

function checkPartNumber(number: number | undefined): number {
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber");
}
