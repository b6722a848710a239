import type { PoliciesVerdict } from "./evaluate-policies.ts";
import type { Layer } from "./evaluation-case.ts";
import type { RequestContext } from "./request-context.ts";
import { and, no, or, type Truth, yes } from "./truth.ts";

/** The verdicts of the layers that apply; a layer that is absent has no say. */
export type Verdicts = Readonly<Partial<Record<Layer, PoliciesVerdict>>>;

/** Services, identity providers and anonymous callers have no policies of their own and belong to no organisation. */
export function hasIdentity({ principal }: RequestContext): boolean {
  return principal.accountId !== undefined;
}

/** What the identity itself is granted within its boundary and session. The root user needs no policy. */
export function limitedIdentity(verdicts: Verdicts, request: RequestContext): Truth {
  const granted = request.principal.kind === "root" ? yes : (verdicts.identity?.allow ?? no);
  return and(granted, limits(verdicts));
}

function limits(verdicts: Verdicts): Truth {
  return and(verdicts.boundary?.allow ?? yes, verdicts.session?.allow ?? yes);
}

/**
 * Same account: either side may grant, and how the resource's policy names the caller decides which limits of the identity
 * it passes by. Other account: both sides must. Keys and roles must always be granted by their own policy.
 */
export function decideGrant(verdicts: Verdicts, request: RequestContext): Truth {
  const resource = verdicts.resource;
  if (!hasIdentity(request)) return resource?.allow ?? no;
  const identity = limitedIdentity(verdicts, request);
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  if (!isSameAccount) return and(identity, resource?.allow ?? no);
  const byIdentity = needsResourceGrant(request) ? and(identity, resource?.allow ?? no) : identity;
  const byRole = and(resource?.allowRole ?? no, limits(verdicts));
  return or(or(byIdentity, byRole), resource?.allowDirect ?? no);
}

/** Trust policies and key policies are not optional: without their allow, not even the account's administrator gets in. */
export function needsResourceGrant({ action, resource }: RequestContext): boolean {
  if (action.startsWith("kms:")) return /^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(resource);
  const isTrustAction =
    action.startsWith("sts:assumerole") || action === "sts:tagsession" || action === "sts:setsourceidentity";
  return isTrustAction && /^arn:[^:]*:iam::[^:]*:role\//.test(resource);
}

/** Whether the request can't pass without an allow in the resource's own policy. */
export function dependsOnResource(request: RequestContext): boolean {
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  return !hasIdentity(request) || !isSameAccount || needsResourceGrant(request);
}
