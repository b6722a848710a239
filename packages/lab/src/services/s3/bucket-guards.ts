import type { BucketSettings, PublicAccessBlock } from "@garrison/iam/evaluation-case";
import { isPublicPolicy } from "@garrison/iam/is-public-policy";
import type { BucketRecord, ObjectVersion } from "./object-record.ts";
import { accessDenied, aclsNotSupported } from "./s3-error.ts";

/** As PutPublicAccessBlock takes them. */
interface StoredBlock {
  readonly BlockPublicAcls?: boolean;
  readonly IgnorePublicAcls?: boolean;
  readonly BlockPublicPolicy?: boolean;
  readonly RestrictPublicBuckets?: boolean;
}

interface StoredOwnership {
  readonly Rules?: readonly { readonly ObjectOwnership?: BucketSettings["objectOwnership"] }[];
}

/** What decides beside the bucket's policy: a setting never made is as in buckets since 2023, a deleted one is off. */
export function bucketGuards(bucket: BucketRecord, version?: ObjectVersion): BucketSettings {
  const block = publicAccessBlock(bucket);
  return {
    ...(block === undefined ? {} : { publicAccessBlock: block }),
    objectOwnership: objectOwnership(bucket),
    ...(bucket.acl === undefined ? {} : { acl: bucket.acl }),
    ...(version?.acl === undefined ? {} : { objectAcl: version.acl }),
  };
}

function publicAccessBlock({ settings }: BucketRecord): PublicAccessBlock | undefined {
  const stored = settings["publicAccessBlock"] as StoredBlock | null | undefined;
  if (stored === null) return undefined;
  return {
    blockPublicAcls: stored === undefined || stored.BlockPublicAcls === true,
    ignorePublicAcls: stored === undefined || stored.IgnorePublicAcls === true,
    blockPublicPolicy: stored === undefined || stored.BlockPublicPolicy === true,
    restrictPublicBuckets: stored === undefined || stored.RestrictPublicBuckets === true,
  };
}

function objectOwnership({ settings }: BucketRecord): NonNullable<BucketSettings["objectOwnership"]> {
  const stored = settings["ownership"] as StoredOwnership | null | undefined;
  if (stored === null) return "ObjectWriter";
  return stored?.Rules?.[0]?.ObjectOwnership ?? "BucketOwnerEnforced";
}

/** Block Public Access may refuse to store a policy that opens the bucket to everybody. */
export function checkPolicyIsPrivate(bucket: BucketRecord, policy: object): void {
  if (publicAccessBlock(bucket)?.blockPublicPolicy === true && isPublicPolicy(policy)) throw accessDenied();
}

const harmlessAcls: ReadonlySet<string> = new Set(["private", "bucket-owner-full-control"]);

/** Where ACLs are switched off, only those are taken that say what holds anyway. */
export function checkTakesAcls(bucket: BucketRecord, canned: string | undefined): void {
  if (objectOwnership(bucket) !== "BucketOwnerEnforced") return;
  if (canned === undefined || !harmlessAcls.has(canned)) throw aclsNotSupported();
}
