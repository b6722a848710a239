import type {
  CreateBucketCommandInput,
  DeleteBucketCommandInput,
  GetBucketLocationCommandInput,
  HeadBucketCommandInput,
  ListBucketsCommandInput,
} from "@aws-sdk/client-s3";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { readAcl } from "./acl-grants.ts";
import { bucketGuards } from "./bucket-guards.ts";
import { canonicalId } from "./list-objects.ts";
import type { BucketRecord } from "./object-record.ts";
import { onBucket, openBucket } from "./s3-access.ts";
import { s3StoreOf } from "./s3-store.ts";

export async function createBucket(input: CreateBucketCommandInput, call: Call) {
  const store = await s3StoreOf(call.lab);
  const name = input.Bucket ?? "";
  const arn = `arn:${call.partition}:s3:::${name}`;
  call.authorize({ action: "s3:CreateBucket", resources: [{ arn, accountId: call.accountId }] });
  checkBucketName(name);
  const region = checkLocation(input, call);
  const existing = store.buckets.get(name);
  if (existing !== undefined) return existingBucket(existing, call);
  const bucket: BucketRecord = {
    name,
    accountId: call.accountId,
    region,
    createdMs: call.lab.clock.now(),
    settings:
      input.ObjectOwnership === undefined
        ? {}
        : { ownership: { Rules: [{ ObjectOwnership: input.ObjectOwnership }] } },
    ...(input.ObjectLockEnabledForBucket ? { versioning: "Enabled", objectLock: {} } : {}),
  };
  store.buckets.put(name, withAcl(bucket, input, call));
  return { Location: `/${name}`, BucketArn: arn };
}

function withAcl(bucket: BucketRecord, input: CreateBucketCommandInput, call: Call): BucketRecord {
  const acl = readAcl(input, call, bucket);
  if (acl === undefined || input.ACL === "private") return bucket;
  if (bucketGuards(bucket).objectOwnership === "BucketOwnerEnforced") {
    const message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    throw new AwsError("InvalidBucketAclWithObjectOwnership", message, { status: 400 });
  }
  return { ...bucket, acl };
}

export async function deleteBucket(input: DeleteBucketCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:DeleteBucket"));
  const hasUploads = [...at.store.uploads.values()].some(({ bucket }) => bucket === at.bucket.name);
  if (at.store.keysOf(at.bucket.name).size > 0 || hasUploads) {
    throw new AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", {
      status: 409,
      members: { BucketName: at.bucket.name },
    });
  }
  at.store.removeBucket(at.bucket.name);
  return {};
}

export async function headBucket(input: HeadBucketCommandInput, call: Call) {
  const at = await openBucket(input, call, { anyRegion: true });
  call.authorize(onBucket(at, "s3:ListBucket"));
  return { BucketRegion: at.bucket.region, AccessPointAlias: false };
}

export async function getBucketLocation(input: GetBucketLocationCommandInput, call: Call) {
  const at = await openBucket(input, call, { anyRegion: true });
  call.authorize(onBucket(at, "s3:GetBucketLocation"));
  return at.bucket.region === "us-east-1" ? {} : { LocationConstraint: at.bucket.region };
}

export async function listBuckets(input: ListBucketsCommandInput, call: Call) {
  const store = await s3StoreOf(call.lab);
  call.authorize({ action: "s3:ListAllMyBuckets", resources: [{ arn: "*", accountId: call.accountId }] });
  const { Prefix = "", ContinuationToken = "", BucketRegion } = input;
  const maxBuckets = input.MaxBuckets ?? 10_000;
  const own = [...store.buckets.values()]
    .filter(
      ({ accountId, name }) =>
        accountId === call.accountId && name.startsWith(Prefix) && name > ContinuationToken,
    )
    .filter(({ region }) => BucketRegion === undefined || region === BucketRegion)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const page = own.slice(0, maxBuckets);
  return {
    Buckets: page.map(({ name, createdMs, region }) => ({
      Name: name,
      CreationDate: new Date(createdMs),
      BucketRegion: region,
    })),
    Owner: { ID: canonicalId(call.accountId) },
    ...(own.length > page.length ? { ContinuationToken: page.at(-1)?.name } : {}),
    ...(input.Prefix ? { Prefix } : {}),
  };
}

function checkBucketName(name: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..");
  if (wellFormed && !/^\d+\.\d+\.\d+\.\d+$/.test(name) && !name.startsWith("xn--")) return;
  throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", {
    members: { BucketName: name },
  });
}

function checkLocation(input: CreateBucketCommandInput, call: Call): string {
  const asked = input.CreateBucketConfiguration?.LocationConstraint;
  if (asked === undefined && call.region !== "us-east-1") {
    throw new AwsError(
      "IllegalLocationConstraintException",
      "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.",
    );
  }
  if (asked !== undefined && call.region !== "us-east-1" && asked !== call.region) {
    throw new AwsError(
      "IllegalLocationConstraintException",
      `The ${asked} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
  return asked === "EU" ? "eu-west-1" : (asked ?? call.region);
}

function existingBucket(existing: BucketRecord, call: Call): object {
  if (existing.accountId !== call.accountId) {
    throw new AwsError(
      "BucketAlreadyExists",
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
      { status: 409, members: { BucketName: existing.name } },
    );
  }
  // In its first Region S3 says yes to a repeated creation.
  if (existing.region === "us-east-1" && call.region === "us-east-1")
    return { Location: `/${existing.name}` };
  throw new AwsError(
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it.",
    { status: 409, members: { BucketName: existing.name } },
  );
}
