import type { PutBucketAclCommandInput, PutObjectAclCommandInput } from "@aws-sdk/client-s3";
import type { Call, Operation } from "../../wire/operation-handler.ts";
import { formatAcl, readAcl } from "./acl-grants.ts";
import { checkTakesAcls } from "./bucket-guards.ts";
import { openVersion, replaceVersion, type VersionInput } from "./open-version.ts";
import { onBucket, openBucket, type BucketInput } from "./s3-access.ts";
import { malformedAcl } from "./s3-error.ts";

async function getBucketAcl(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketAcl"));
  return formatAcl(at.bucket, at.bucket.acl);
}

async function putBucketAcl(input: PutBucketAclCommandInput & BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:PutBucketAcl"));
  checkTakesAcls(at.bucket, input.ACL);
  const acl = readAcl(input, call, at.bucket);
  if (acl === undefined) throw malformedAcl();
  at.store.buckets.put(at.bucket.name, { ...at.bucket, acl });
  return {};
}

async function getObjectAcl(input: VersionInput, call: Call): Promise<object> {
  const action = input.VersionId === undefined ? "s3:GetObjectAcl" : "s3:GetObjectVersionAcl";
  const { at, version } = await openVersion(input, call, action);
  return formatAcl(at.bucket, version.acl);
}

async function putObjectAcl(input: PutObjectAclCommandInput & VersionInput, call: Call): Promise<object> {
  const action = input.VersionId === undefined ? "s3:PutObjectAcl" : "s3:PutObjectVersionAcl";
  const open = await openVersion(input, call, action);
  checkTakesAcls(open.at.bucket, input.ACL);
  const acl = readAcl(input, call, open.at.bucket);
  if (acl === undefined) throw malformedAcl();
  await replaceVersion(open, { ...open.version, acl });
  return {};
}

export const aclOperations: Readonly<Record<string, Operation>> = {
  GetBucketAcl: getBucketAcl,
  PutBucketAcl: putBucketAcl,
  GetObjectAcl: getObjectAcl,
  PutObjectAcl: putObjectAcl,
};
