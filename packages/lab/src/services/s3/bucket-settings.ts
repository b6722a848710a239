import type { Tag } from "@aws-sdk/client-s3";
import { isPublicPolicy } from "@garrison/iam/is-public-policy";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, Operation } from "../../wire/operation-handler.ts";
import { checkPolicyIsPrivate } from "./bucket-guards.ts";
import type { BucketRecord } from "./object-record.ts";
import { onBucket, openBucket, type BucketInput } from "./s3-access.ts";

/** A bucket configuration that is stored and given back, with the actions that guard it and S3's word for its absence. */
interface Setting {
  readonly name: string;
  readonly member: string;
  readonly putAction: string;
  readonly getAction: string;
  readonly deleteAction?: string;
  /** The error for a GET where there is none; without one the answer is empty. */
  readonly absent?: { readonly code: string; readonly message: string };
}

const settings = {
  encryption: {
    name: "encryption",
    member: "ServerSideEncryptionConfiguration",
    putAction: "s3:PutEncryptionConfiguration",
    getAction: "s3:GetEncryptionConfiguration",
  },
  lifecycle: {
    name: "lifecycle",
    member: "LifecycleConfiguration",
    putAction: "s3:PutLifecycleConfiguration",
    getAction: "s3:GetLifecycleConfiguration",
    absent: { code: "NoSuchLifecycleConfiguration", message: "The lifecycle configuration does not exist" },
  },
  publicAccessBlock: {
    name: "publicAccessBlock",
    member: "PublicAccessBlockConfiguration",
    putAction: "s3:PutBucketPublicAccessBlock",
    getAction: "s3:GetBucketPublicAccessBlock",
    absent: {
      code: "NoSuchPublicAccessBlockConfiguration",
      message: "The public access block configuration was not found",
    },
  },
  ownership: {
    name: "ownership",
    member: "OwnershipControls",
    putAction: "s3:PutBucketOwnershipControls",
    getAction: "s3:GetBucketOwnershipControls",
    absent: {
      code: "OwnershipControlsNotFoundError",
      message: "The bucket ownership controls were not found",
    },
  },
} as const satisfies Record<string, Setting>;

// What new buckets have had since 2023.
const defaults: Readonly<Record<string, unknown>> = {
  encryption: {
    Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
  },
  publicAccessBlock: {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  },
  ownership: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
};

const putSetting = (setting: Setting) => async (input: BucketInput, call: Call) => {
  const value = (input as unknown as Record<string, unknown>)[setting.member];
  return changeBucket(input, call, {
    action: setting.putAction,
    change: (bucket) => withSetting(bucket, setting, value),
  });
};

const deleteSetting = (setting: Setting) => async (input: BucketInput, call: Call) =>
  changeBucket(input, call, {
    action: setting.putAction,
    change: (bucket) => withSetting(bucket, setting, null),
  });

const readSetting = (setting: Setting) => async (input: BucketInput, call: Call) => {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, setting.getAction));
  const stored = at.bucket.settings[setting.name];
  const value = stored === undefined ? defaults[setting.name] : stored;
  if (value !== undefined && value !== null) return { [setting.member]: value };
  if (setting.absent) throw new AwsError(setting.absent.code, setting.absent.message, { status: 404 });
  return { [setting.member]: defaults[setting.name] };
};

function withSetting(bucket: BucketRecord, { name }: Setting, value: unknown): BucketRecord {
  return { ...bucket, settings: { ...bucket.settings, [name]: value } };
}

interface BucketChange {
  readonly action: string;
  readonly change: (bucket: BucketRecord) => BucketRecord;
}

async function changeBucket(
  input: BucketInput,
  call: Call,
  { action, change }: BucketChange,
): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, action));
  at.store.buckets.put(at.bucket.name, change(at.bucket));
  return {};
}

async function getBucketLifecycle(input: BucketInput, call: Call): Promise<object> {
  const found = (await readSetting(settings.lifecycle)(input, call)) as { LifecycleConfiguration?: object };
  return { ...found.LifecycleConfiguration };
}

interface VersioningInput extends BucketInput {
  readonly VersioningConfiguration?: { readonly Status?: string };
}

function putVersioning(input: VersioningInput, call: Call): Promise<object> {
  const status = input.VersioningConfiguration?.Status;
  return changeBucket(input, call, {
    action: "s3:PutBucketVersioning",
    change(bucket) {
      if (status !== "Enabled" && status !== "Suspended") {
        throw new AwsError(
          "IllegalVersioningConfigurationException",
          "The Versioning element must be specified",
        );
      }
      if (status === "Suspended" && bucket.objectLock !== undefined) {
        throw new AwsError(
          "InvalidBucketState",
          "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
          { status: 409 },
        );
      }
      return { ...bucket, versioning: status };
    },
  });
}

async function getVersioning(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketVersioning"));
  return at.bucket.versioning === undefined ? {} : { Status: at.bucket.versioning };
}

interface PolicyInput extends BucketInput {
  readonly Policy?: string;
}

function putPolicy(input: PolicyInput, call: Call): Promise<object> {
  return changeBucket(input, call, {
    action: "s3:PutBucketPolicy",
    change(bucket) {
      const policy = parsePolicyText(input.Policy ?? "");
      checkPolicyIsPrivate(bucket, policy);
      return { ...bucket, policy };
    },
  });
}

function parsePolicyText(text: string): object {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === "object" && document !== null && "Statement" in document) return document;
  } catch {
    // Falls through: not JSON is as malformed as not a policy.
  }
  throw new AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'");
}

async function getPolicy(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketPolicy"));
  if (at.bucket.policy !== undefined) return { Policy: JSON.stringify(at.bucket.policy) };
  throw new AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", { status: 404 });
}

async function getPolicyStatus(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketPolicyStatus"));
  return { PolicyStatus: { IsPublic: at.bucket.policy !== undefined && isPublicPolicy(at.bucket.policy) } };
}

function deletePolicy(input: BucketInput, call: Call): Promise<object> {
  return changeBucket(input, call, {
    action: "s3:DeleteBucketPolicy",
    change: ({ policy: _gone, ...bucket }) => bucket,
  });
}

interface TaggingInput extends BucketInput {
  readonly Tagging?: { readonly TagSet?: readonly Tag[] };
}

function putTagging(input: TaggingInput, call: Call): Promise<object> {
  const tags = Object.fromEntries(
    (input.Tagging?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value]),
  );
  return changeBucket(input, call, {
    action: "s3:PutBucketTagging",
    change: (bucket) => ({ ...bucket, tags }),
  });
}

function deleteTagging(input: BucketInput, call: Call): Promise<object> {
  return changeBucket(input, call, {
    action: "s3:PutBucketTagging",
    change: ({ tags: _gone, ...bucket }) => bucket,
  });
}

async function getTagging(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketTagging"));
  if (at.bucket.tags === undefined)
    throw new AwsError("NoSuchTagSet", "The TagSet does not exist", { status: 404 });
  return { TagSet: Object.entries(at.bucket.tags).map(([Key, Value]) => ({ Key, Value })) };
}

interface ObjectLockInput extends BucketInput {
  readonly ObjectLockConfiguration?: {
    readonly ObjectLockEnabled?: string;
    readonly Rule?: {
      readonly DefaultRetention?: { readonly Mode?: string; readonly Days?: number; readonly Years?: number };
    };
  };
}

function putObjectLock(input: ObjectLockInput, call: Call): Promise<object> {
  const rule = input.ObjectLockConfiguration?.Rule?.DefaultRetention;
  return changeBucket(input, call, {
    action: "s3:PutBucketObjectLockConfiguration",
    change(bucket) {
      if (bucket.versioning !== "Enabled") {
        throw new AwsError(
          "InvalidBucketState",
          "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
          { status: 409 },
        );
      }
      const objectLock = {
        ...(rule?.Mode === undefined ? {} : { mode: rule.Mode }),
        ...(rule?.Days === undefined ? {} : { days: rule.Days }),
        ...(rule?.Years === undefined ? {} : { years: rule.Years }),
      };
      return { ...bucket, objectLock };
    },
  });
}

async function getObjectLock(input: BucketInput, call: Call): Promise<object> {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:GetBucketObjectLockConfiguration"));
  const { objectLock } = at.bucket;
  if (objectLock === undefined) {
    throw new AwsError(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
      { status: 404 },
    );
  }
  const { mode, days, years } = objectLock;
  const retention = {
    Mode: mode,
    ...(days === undefined ? {} : { Days: days }),
    ...(years === undefined ? {} : { Years: years }),
  };
  return {
    ObjectLockConfiguration: {
      ObjectLockEnabled: "Enabled",
      ...(mode === undefined ? {} : { Rule: { DefaultRetention: retention } }),
    },
  };
}

export const bucketSettingOperations: Readonly<Record<string, Operation>> = {
  PutBucketEncryption: putSetting(settings.encryption),
  GetBucketEncryption: readSetting(settings.encryption),
  DeleteBucketEncryption: putDefault(settings.encryption),
  PutBucketLifecycleConfiguration: putSetting(settings.lifecycle),
  GetBucketLifecycleConfiguration: getBucketLifecycle,
  DeleteBucketLifecycle: deleteSetting(settings.lifecycle),
  PutPublicAccessBlock: putSetting(settings.publicAccessBlock),
  GetPublicAccessBlock: readSetting(settings.publicAccessBlock),
  DeletePublicAccessBlock: deleteSetting(settings.publicAccessBlock),
  PutBucketOwnershipControls: putSetting(settings.ownership),
  GetBucketOwnershipControls: readSetting(settings.ownership),
  DeleteBucketOwnershipControls: deleteSetting(settings.ownership),
  PutBucketVersioning: putVersioning,
  GetBucketVersioning: getVersioning,
  PutBucketPolicy: putPolicy,
  GetBucketPolicy: getPolicy,
  GetBucketPolicyStatus: getPolicyStatus,
  DeleteBucketPolicy: deletePolicy,
  PutBucketTagging: putTagging,
  GetBucketTagging: getTagging,
  DeleteBucketTagging: deleteTagging,
  PutObjectLockConfiguration: putObjectLock,
  GetObjectLockConfiguration: getObjectLock,
};

/** Deleting a bucket's encryption puts S3's default back: no bucket is without. */
function putDefault(setting: Setting) {
  return (input: BucketInput, call: Call) =>
    changeBucket(input, call, {
      action: setting.putAction,
      change: (bucket) => withSetting(bucket, setting, defaults[setting.name]),
    });
}
