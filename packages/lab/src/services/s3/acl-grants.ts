import type { Grant } from "@aws-sdk/client-s3";
import type { AclGrant } from "@garrison/iam/evaluation-case";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { canonicalId } from "./list-objects.ts";
import type { BucketRecord } from "./object-record.ts";
import { accessDenied, malformedAcl } from "./s3-error.ts";
import { bucketGuards } from "./bucket-guards.ts";

const groupPrefix = "http://acs.amazonaws.com/groups/global/";

export interface AclInput {
  readonly ACL?: string | undefined;
  readonly AccessControlPolicy?: { readonly Grants?: Grant[] | undefined } | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

/** The ACL that a request asks for, in one of its three forms; undefined when it asks for none. */
export function readAcl(input: AclInput, call: Call, bucket: BucketRecord): readonly AclGrant[] | undefined {
  const grants =
    input.AccessControlPolicy?.Grants?.map((grant) => readGrant(call, grant)) ?? readHeaders(call, input);
  if (grants.length > 0 || input.AccessControlPolicy !== undefined) {
    checkNotPublic(bucket, grants);
    return grants;
  }
  return input.ACL === undefined ? undefined : cannedAcl(input.ACL, bucket);
}

/** The header forms are judged with the request; the body's is known only now. */
function checkNotPublic(bucket: BucketRecord, grants: readonly AclGrant[]): void {
  const isPublic = grants.some(({ grantee }) => grantee === "AllUsers" || grantee === "AuthenticatedUsers");
  if (isPublic && bucketGuards(bucket).publicAccessBlock?.blockPublicAcls === true) throw accessDenied();
}

function cannedAcl(name: string, { accountId: owner }: BucketRecord): readonly AclGrant[] {
  const own: AclGrant = { grantee: owner, permission: "FULL_CONTROL" };
  const canned: Readonly<Partial<Record<string, readonly AclGrant[]>>> = {
    private: [],
    "bucket-owner-full-control": [],
    "bucket-owner-read": [],
    "public-read": [{ grantee: "AllUsers", permission: "READ" }],
    "public-read-write": [
      { grantee: "AllUsers", permission: "READ" },
      { grantee: "AllUsers", permission: "WRITE" },
    ],
    "authenticated-read": [{ grantee: "AuthenticatedUsers", permission: "READ" }],
  };
  const grants = canned[name];
  if (grants === undefined) throw new AwsError("InvalidArgument", `The lab has no canned ACL ${name}`);
  return [own, ...grants];
}

function readGrant(call: Call, { Grantee, Permission }: Grant): AclGrant {
  const permission = Permission as AclGrant["permission"] | undefined;
  const grantee = Grantee?.URI === undefined ? accountOf(call, Grantee?.ID) : groupOf(Grantee.URI);
  if (permission === undefined) throw malformedAcl();
  return { grantee, permission };
}

/** `x-amz-grant-read: id="...", uri="..."` */
function readHeaders(call: Call, input: AclInput): AclGrant[] {
  const headers = [
    [input.GrantFullControl, "FULL_CONTROL"],
    [input.GrantRead, "READ"],
    [input.GrantReadACP, "READ_ACP"],
    [input.GrantWrite, "WRITE"],
    [input.GrantWriteACP, "WRITE_ACP"],
  ] as const;
  return headers.flatMap(([header = "", permission]) =>
    [...header.matchAll(/(id|uri)="?([^",]+)"?/g)].map(([, kind, value]) => ({
      grantee: kind === "uri" ? groupOf(value!) : accountOf(call, value),
      permission,
    })),
  );
}

function groupOf(uri: string): string {
  const name = uri.startsWith(groupPrefix) ? uri.slice(groupPrefix.length) : "";
  if (name === "AllUsers" || name === "AuthenticatedUsers") return name;
  throw new AwsError("InvalidArgument", "Invalid group uri");
}

/** The lab keeps an account's number where S3 keeps its canonical id. */
function accountOf(call: Call, id: string | undefined): string {
  for (const accountId of call.lab.identity.accounts.keys())
    if (canonicalId(accountId) === id) return accountId;
  throw new AwsError("InvalidArgument", "Invalid id");
}

export function formatAcl(bucket: BucketRecord, acl: readonly AclGrant[] | undefined): object {
  const grants = acl ?? cannedAcl("private", bucket);
  return {
    Owner: { ID: canonicalId(bucket.accountId) },
    Grants: grants.map(({ grantee, permission }) => ({
      Grantee: formatGrantee(grantee),
      Permission: permission,
    })),
  };
}

function formatGrantee(grantee: string): object {
  if (/^\d{12}$/.test(grantee)) return { Type: "CanonicalUser", ID: canonicalId(grantee) };
  return { Type: "Group", URI: groupPrefix + grantee };
}
