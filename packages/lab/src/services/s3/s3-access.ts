import { AwsError } from "../../wire/aws-error.ts";
import type { Authorization, Call, ResourceAccess } from "../../wire/operation-handler.ts";
import { bucketGuards } from "./bucket-guards.ts";
import type { BucketRecord, ObjectVersion } from "./object-record.ts";
import { accessDenied, noSuchBucket } from "./s3-error.ts";
import { s3StoreOf, type S3Store } from "./s3-store.ts";

type Context = Record<string, string | readonly string[]>;

/** What a handler works on once the bucket is known. */
export interface BucketCall {
  readonly call: Call;
  readonly store: S3Store;
  readonly bucket: BucketRecord;
}

export interface BucketInput {
  readonly Bucket: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Finds the bucket that a request names. As on AWS, a missing bucket is told to everybody. */
export async function openBucket(
  input: BucketInput,
  call: Call,
  options?: { anyRegion?: boolean },
): Promise<BucketCall> {
  const store = await s3StoreOf(call.lab);
  const bucket = store.buckets.get(input.Bucket ?? "");
  if (bucket === undefined) throw noSuchBucket(input.Bucket ?? "");
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.accountId)
    throw accessDenied();
  if (bucket.region !== call.region && call.request.authentication !== "anonymous" && !options?.anyRegion) {
    throw new AwsError(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${bucket.region}'`,
      { status: 400, members: { Region: bucket.region }, headers: { "x-amz-bucket-region": bucket.region } },
    );
  }
  return { call, store, bucket };
}

export function bucketAccess({ call, bucket }: BucketCall): ResourceAccess {
  return {
    arn: `arn:${call.partition}:s3:::${bucket.name}`,
    accountId: bucket.accountId,
    bucket: bucketGuards(bucket),
    ...(bucket.policy ? { policy: bucket.policy } : {}),
    ...(bucket.tags ? { tags: bucket.tags } : {}),
  };
}

/** The authorisation of an action on the bucket itself. */
export function onBucket(at: BucketCall, action: string, context: Context = {}): Authorization {
  return { action, resources: [bucketAccess(at)], context: { ...requestContext(at.call), ...context } };
}

export interface ObjectAction {
  readonly action: string;
  readonly key: string;
  /** The version acted upon: its tags and lock take part in conditions. */
  readonly version?: ObjectVersion | undefined;
  readonly context?: Context;
}

/** The authorisation of an action on an object of the bucket. */
export function onObject(at: BucketCall, { action, key, version, context }: ObjectAction): Authorization {
  const { policy, accountId } = bucketAccess(at);
  const arn = `arn:${at.call.partition}:s3:::${at.bucket.name}/${key}`;
  const guards = bucketGuards(at.bucket, version);
  const resource: ResourceAccess = { arn, accountId, bucket: guards, ...(policy ? { policy } : {}) };
  return {
    action,
    resources: [resource],
    context: { ...requestContext(at.call), ...versionContext(version), ...context },
  };
}

function versionContext(version: ObjectVersion | undefined): Context {
  if (version === undefined) return {};
  const context: Context = {};
  for (const [name, value] of Object.entries(version.tags)) context[`s3:ExistingObjectTag/${name}`] = value;
  return context;
}

// A key is in the context when its header or query parameter is in the request, with that value.
const headerKeys: Readonly<Record<string, string>> = {
  "if-none-match": "s3:if-none-match",
  "if-match": "s3:if-match",
  "x-amz-acl": "s3:x-amz-acl",
  "x-amz-grant-full-control": "s3:x-amz-grant-full-control",
  "x-amz-grant-read": "s3:x-amz-grant-read",
  "x-amz-grant-read-acp": "s3:x-amz-grant-read-acp",
  "x-amz-grant-write": "s3:x-amz-grant-write",
  "x-amz-grant-write-acp": "s3:x-amz-grant-write-acp",
  "x-amz-content-sha256": "s3:x-amz-content-sha256",
  "x-amz-copy-source": "s3:x-amz-copy-source",
  "x-amz-metadata-directive": "s3:x-amz-metadata-directive",
  "x-amz-server-side-encryption": "s3:x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id": "s3:x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-storage-class": "s3:x-amz-storage-class",
  "x-amz-object-lock-mode": "s3:object-lock-mode",
  "x-amz-object-lock-retain-until-date": "s3:object-lock-retain-until-date",
  "x-amz-object-lock-legal-hold": "s3:object-lock-legal-hold",
};

const queryKeys: Readonly<Record<string, string>> = {
  prefix: "s3:prefix",
  delimiter: "s3:delimiter",
  "max-keys": "s3:max-keys",
  versionId: "s3:VersionId",
};

function requestContext(call: Call): Context {
  const { request } = call;
  const context: Context = {};
  for (const [header, key] of Object.entries(headerKeys)) {
    const value = request.headers[header];
    if (typeof value === "string") context[key] = value;
  }
  Object.assign(context, retentionContext(call, context["s3:object-lock-retain-until-date"]));
  for (const [name, key] of Object.entries(queryKeys)) {
    const value = request.query.get(name);
    if (value !== null) context[key] = value;
  }
  if (request.authentication === "anonymous") return context;
  context["s3:signatureversion"] = "AWS4-HMAC-SHA256";
  context["s3:authType"] = request.authentication === "query" ? "REST-QUERY-STRING" : "REST-HEADER";
  addRequestTags(context, request.headers["x-amz-tagging"]);
  return context;
}

const dayMs = 86_400_000;

/** How long the lock that a request asks for would last. A part of a day counts as a day. */
export function retentionContext(call: Call, until: string | readonly string[] | undefined): Context {
  const untilMs = typeof until === "string" ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(untilMs)) return {};
  const days = Math.max(0, Math.ceil((untilMs - call.lab.clock.now()) / dayMs));
  return { "s3:object-lock-remaining-retention-days": String(days) };
}

function addRequestTags(context: Context, header: string | string[] | undefined): void {
  if (typeof header !== "string") return;
  const tags = [...new URLSearchParams(header)];
  for (const [name, value] of tags) context[`s3:RequestObjectTag/${name}`] = value;
  context["s3:RequestObjectTagKeys"] = tags.map(([name]) => name);
}
