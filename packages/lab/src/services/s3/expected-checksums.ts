import type { Call } from "../../wire/operation-handler.ts";
import type { WrittenBlob } from "./blob-store.ts";
import { checksumAlgorithms, openDigest, type ChecksumAlgorithm } from "./checksums.ts";
import { badDigest, invalidRequest } from "./s3-error.ts";
import { AwsError } from "../../wire/aws-error.ts";

/** The members by which put-like operations carry checksums. */
export interface ChecksumInput {
  readonly ChecksumAlgorithm?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumCRC32C?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumSHA1?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
  readonly ContentMD5?: string | undefined;
}

/** The algorithm a put is checked and stored by: named by value, trailer or algorithm header; S3's own choice otherwise. */
export function chosenAlgorithm(input: ChecksumInput, call: Call): ChecksumAlgorithm {
  for (const algorithm of checksumAlgorithms)
    if (checksumMember(input, algorithm) !== undefined) return algorithm;
  const trailer = call.request.headers["x-amz-trailer"];
  const named =
    typeof trailer === "string" ? trailer.replace("x-amz-checksum-", "") : input.ChecksumAlgorithm;
  return parseAlgorithm(named) ?? "CRC64NVME";
}

export function parseAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined) return undefined;
  const found = checksumAlgorithms.find((algorithm) => algorithm === name.trim().toUpperCase());
  if (found === undefined) throw invalidRequest(`Checksum algorithm provided is unsupported: ${name}`);
  return found;
}

export function checksumMember(input: ChecksumInput, algorithm: ChecksumAlgorithm): string | undefined {
  return input[`Checksum${algorithm}`];
}

/** Compares what came with what was promised: header, trailer, Content-MD5 and the length before chunk-encoding. */
export function verifyChecksums(input: ChecksumInput, written: WrittenBlob, call: Call): void {
  const { headers } = call.request;
  const trailers = call.request.trailers();
  for (const algorithm of checksumAlgorithms) {
    const expected =
      checksumMember(input, algorithm) ?? trailers[`x-amz-checksum-${algorithm.toLowerCase()}`];
    if (expected === undefined) continue;
    if (!isPlausible(expected, algorithm)) {
      throw invalidRequest(`Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
    }
    if (expected !== written.digests[algorithm]) throw badDigest(algorithm);
  }
  verifyMd5(input.ContentMD5, written);
  const promised = headers["x-amz-decoded-content-length"] ?? headers["content-length"];
  if (typeof promised === "string" && Number(promised) !== written.segment.sizeBytes) {
    throw new AwsError(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
      { status: 400 },
    );
  }
}

function verifyMd5(expected: string | undefined, written: WrittenBlob): void {
  if (expected === undefined) return;
  const digest = Buffer.from(expected, "base64");
  if (digest.length !== 16) {
    throw new AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", { status: 400 });
  }
  if (!digest.equals(written.md5)) throw badDigest("Content-MD5");
}

function isPlausible(value: string, algorithm: ChecksumAlgorithm): boolean {
  return Buffer.from(value, "base64").length === openDigest(algorithm).digest().length;
}
