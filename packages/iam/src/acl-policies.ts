import type { AclGrant, BucketSettings, EvaluationCase, NamedPolicy } from "./evaluation-case.ts";
import type { PrincipalElement, StatementDocument } from "./policy-document.ts";
import { readPrincipal } from "./request-principal.ts";

type Permission = Exclude<AclGrant["permission"], "FULL_CONTROL">;
type Meaning = Readonly<Record<Permission, readonly string[]>>;

/** What an entry of a bucket's ACL allows, in the words of policies (S3 user guide, "mapping of ACL permissions"). */
const bucketMeaning: Meaning = {
  READ: ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
  WRITE: ["s3:PutObject"],
  READ_ACP: ["s3:GetBucketAcl"],
  WRITE_ACP: ["s3:PutBucketAcl"],
};
const objectMeaning: Meaning = {
  READ: ["s3:GetObject", "s3:GetObjectVersion"],
  WRITE: [],
  READ_ACP: ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
  WRITE_ACP: ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
};

const groups: ReadonlySet<string> = new Set(["AllUsers", "AuthenticatedUsers"]);

/** The ACLs as the policies that say the same; none where they are switched off. */
export function aclPolicies({ bucket, request }: EvaluationCase): readonly NamedPolicy[] {
  if (bucket === undefined || !hasAcls(bucket)) return [];
  const isAnonymous = readPrincipal(request.principal).accountId === undefined;
  const ignoresGroups = bucket.publicAccessBlock?.ignorePublicAcls === true;
  const counts = ({ grantee }: AclGrant) =>
    !(ignoresGroups && groups.has(grantee)) && !(isAnonymous && grantee === "AuthenticatedUsers");
  return [
    ...writePolicies("bucket ACL", bucket.acl?.filter(counts), bucketMeaning),
    ...writePolicies("object ACL", bucket.objectAcl?.filter(counts), objectMeaning),
  ];
}

function hasAcls({ objectOwnership = "BucketOwnerEnforced" }: BucketSettings): boolean {
  return objectOwnership !== "BucketOwnerEnforced";
}

function writePolicies(
  name: string,
  acl: readonly AclGrant[] | undefined,
  meaning: Meaning,
): readonly NamedPolicy[] {
  const statements = (acl ?? []).flatMap((entry) => writeStatement(entry, meaning));
  return statements.length === 0 ? [] : [{ name, policy: { Statement: statements } }];
}

function writeStatement({ grantee, permission }: AclGrant, meaning: Meaning): readonly StatementDocument[] {
  const actions = permission === "FULL_CONTROL" ? Object.values(meaning).flat() : meaning[permission];
  if (actions.length === 0) return [];
  const Sid = `${grantee} ${permission}`;
  return [{ Sid, Effect: "Allow", Principal: nameGrantee(grantee), Action: actions, Resource: "*" }];
}

function nameGrantee(grantee: string): PrincipalElement {
  if (groups.has(grantee)) return "*";
  return /^\d{12}$/.test(grantee) ? { AWS: grantee } : { CanonicalUser: grantee };
}
