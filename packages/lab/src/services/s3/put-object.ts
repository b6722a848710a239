import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { Call } from "../../wire/operation-handler.ts";
import { openBody } from "../../wire/read-body.ts";
import { AwsError } from "../../wire/aws-error.ts";
import { readAcl } from "./acl-grants.ts";
import type { WrittenBlob } from "./blob-store.ts";
import { checkTakesAcls } from "./bucket-guards.ts";
import { chosenAlgorithm, verifyChecksums } from "./expected-checksums.ts";
import {
  describeVersion,
  encryptionMembers,
  newVersionId,
  shownVersionId,
  wholeSecond,
} from "./new-version.ts";
import type { ObjectVersion } from "./object-record.ts";
import { authorizeKeyUse } from "./key-access.ts";
import { onObject, openBucket, type BucketCall } from "./s3-access.ts";
import { invalidRequest } from "./s3-error.ts";
import { openConditionalWrite } from "./write-conditions.ts";

const largestPutBytes = 5 * 1024 ** 3;

export async function putObject(input: PutObjectCommandInput, call: Call) {
  const at = await openBucket(input, call);
  authorizeNewObject(at, input);
  const description = describeVersion(at, input);
  if (input.ACL !== undefined) checkTakesAcls(at.bucket, input.ACL);
  const acl = readAcl(input, call, at.bucket);
  checkSize(call);
  checkLockedBody(input, call);
  const key = input.Key ?? "";
  authorizeKeyUse(at, { key, encryption: description.encryption, actions: ["kms:GenerateDataKey"] });
  const write = openConditionalWrite(at, key, input);
  try {
    const algorithm = chosenAlgorithm(input, call);
    const written = await at.store.blobs.write(openBody(input.Body), [algorithm]);
    const version: ObjectVersion = {
      ...description,
      ...(acl === undefined ? {} : { acl }),
      versionId: newVersionId(at.bucket),
      etag: `"${written.md5.toString("hex")}"`,
      sizeBytes: written.segment.sizeBytes,
      modifiedMs: wholeSecond(call.lab.clock.now()),
      segments: [written.segment],
      checksum: { algorithm, value: written.digests[algorithm]!, type: "FULL_OBJECT" },
    };
    await keepOrDelete(at, written, async () => {
      verifyChecksums(input, written, call);
      await write.commit(version);
    });
    return {
      ETag: version.etag,
      VersionId: shownVersionId(at.bucket, version.versionId),
      [`Checksum${algorithm}`]: version.checksum?.value,
      ChecksumType: "FULL_OBJECT",
      ...encryptionMembers(version.encryption),
    };
  } finally {
    write.close();
  }
}

/** Runs `commit`; bytes that didn't become part of the index go. */
export async function keepOrDelete(
  at: BucketCall,
  written: WrittenBlob,
  commit: () => Promise<void>,
): Promise<void> {
  try {
    await commit();
  } catch (error) {
    await at.store.blobs.delete([written.segment]);
    throw error;
  }
}

interface NewObjectRights {
  readonly Key?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly ACL?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

/** Creating an object needs a right of its own for each thing that is set along with it. */
export function authorizeNewObject(at: BucketCall, input: NewObjectRights, createsObject = true): void {
  const key = input.Key ?? "";
  const context = { "s3:ObjectCreationOperation": String(createsObject) };
  const actions = [
    "s3:PutObject",
    ...(input.Tagging ? ["s3:PutObjectTagging"] : []),
    ...(input.ACL && input.ACL !== "private" ? ["s3:PutObjectAcl"] : []),
    ...(input.ObjectLockMode ? ["s3:PutObjectRetention"] : []),
    ...(input.ObjectLockLegalHoldStatus ? ["s3:PutObjectLegalHold"] : []),
  ];
  for (const action of actions) at.call.authorize(onObject(at, { action, key, context }));
}

/** What is locked can't be put right later, so S3 takes it only with a checksum. */
function checkLockedBody(input: PutObjectCommandInput, call: Call): void {
  if (input.ObjectLockMode === undefined && input.ObjectLockLegalHoldStatus === undefined) return;
  const names = Object.keys(call.request.headers);
  if (names.some((name) => name === "content-md5" || name.startsWith("x-amz-checksum-"))) return;
  if (call.request.headers["x-amz-trailer"] !== undefined) return;
  throw invalidRequest(
    "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
  );
}

function checkSize(call: Call): void {
  const { headers } = call.request;
  const length = headers["x-amz-decoded-content-length"] ?? headers["content-length"];
  if (length === undefined) {
    throw new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", {
      status: 411,
    });
  }
  if (Number(length) > largestPutBytes) {
    throw new AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      status: 400,
    });
  }
}
