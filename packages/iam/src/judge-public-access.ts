import type { PoliciesVerdict } from "./evaluate-policies.ts";
import type { EvaluationCase } from "./evaluation-case.ts";
import { isPublicPolicy } from "./is-public-policy.ts";
import type { RequestContext } from "./request-context.ts";
import { no, type Truth, yes } from "./truth.ts";

/** What a bucket's Block Public Access says about a request; undefined where it has no say. */
export function judgePublicAccess(
  { bucket, resourcePolicy }: EvaluationCase,
  request: RequestContext,
): PoliciesVerdict | undefined {
  const block = bucket?.publicAccessBlock;
  if (block === undefined || request.service !== "s3") return undefined;
  if (block.restrictPublicBuckets === true && isOutsider(request) && isPublic(resourcePolicy)) {
    return verdictOf(no);
  }
  return verdictOf(block.blockPublicAcls === true ? mayPutAcl(request) : yes);
}

/** Services and the bucket's own account still come in. */
function isOutsider({ principal, resourceAccountId }: RequestContext): boolean {
  return principal.kind !== "service" && principal.accountId !== resourceAccountId;
}

function isPublic(policy: object | undefined): boolean {
  return policy !== undefined && isPublicPolicy(policy);
}

const aclActions: ReadonlySet<string> = new Set([
  "s3:createbucket",
  "s3:putbucketacl",
  "s3:putobject",
  "s3:putobjectacl",
  "s3:putobjectversionacl",
]);
const publicAcls = /^(public-read|public-read-write|authenticated-read)$/;
const publicGroups = /groups\/global\/(AllUsers|AuthenticatedUsers)/;
const grantKeys: readonly string[] = "full-control read write read-acp write-acp"
  .split(" ")
  .map((name) => `s3:x-amz-grant-${name}`);

/** A call that would make a bucket or object public by an ACL in its headers is refused. */
function mayPutAcl(request: RequestContext): Truth {
  if (!aclActions.has(request.action)) return yes;
  const canned = judgeHeader(request, "s3:x-amz-acl", publicAcls);
  const headers = grantKeys.map((key) => judgeHeader(request, key, publicGroups));
  return Math.min(canned, ...headers) as Truth;
}

function judgeHeader(request: RequestContext, key: string, pattern: RegExp): Truth {
  const values = request.readKey(key);
  if (values === "unknown") return request.ask(`${key} is not public`);
  return values !== "absent" && values.some((value) => pattern.test(value)) ? no : yes;
}

function verdictOf(allow: Truth): PoliciesVerdict {
  return { deny: no, allow, allowRole: no, allowDirect: no };
}
