import type { PoliciesVerdict } from "./evaluate-policies.ts";
import type { Layer } from "./evaluation-case.ts";
import type { RequestContext } from "./request-context.ts";
import { and, no, or, type Truth, unknown, yes } from "./truth.ts";

/** The verdicts of the layers that apply; a layer that is absent has no say. */
export type Verdicts = Readonly<Partial<Record<Layer, PoliciesVerdict | undefined>>>;

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

/** What a side grants, by how it names the caller (see `PrincipalMatch`). */
interface SideGrant {
  readonly allow: Truth;
  readonly allowRole: Truth;
  readonly allowDirect: Truth;
}

const nothing: SideGrant = { allow: no, allowRole: no, allowDirect: no };

/** The resource's own policy, and what grants beside it. */
function resourceSide(verdicts: Verdicts): SideGrant {
  const resource = verdicts.resource ?? nothing;
  const keyGrant = verdicts["kms-grant"];
  const acl = verdicts.acl;
  if (keyGrant === undefined && acl === undefined) return resource;
  return unite(unite(resource, keyGrant ?? nothing), acl ?? nothing);
}

function unite(one: SideGrant, other: SideGrant): SideGrant {
  return {
    allow: or(one.allow, other.allow),
    allowRole: or(one.allowRole, other.allowRole),
    allowDirect: or(one.allowDirect, other.allowDirect),
  };
}

/**
 * Same account: either side may grant, and how the resource's policy names the caller decides which limits of the identity
 * it passes by. Other account: both sides must, except that a grant on a key is enough. Keys and roles must always be
 * granted by their own policy.
 */
export function decideGrant(verdicts: Verdicts, request: RequestContext): Truth {
  const resource = resourceSide(verdicts);
  if (!hasIdentity(request)) return resource.allow;
  const identity = limitedIdentity(verdicts, request);
  const both = and(identity, resource.allow);
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  if (!isSameAccount) return or(both, byName(verdicts["kms-grant"] ?? nothing, verdicts));
  const byIdentity = needsResourceGrant(request) ? both : identity;
  return or(byIdentity, byName(resource, verdicts));
}

/** A grant to the role itself is still limited by boundary and session; one to the caller directly is not. */
function byName({ allowRole, allowDirect }: SideGrant, verdicts: Verdicts): Truth {
  return or(and(allowRole, limits(verdicts)), allowDirect);
}

/** Whether some part of the resource's side certainly allows, however it names the caller. */
export function isResourceOpen(verdicts: Verdicts): boolean {
  return resourceSide(verdicts).allow === yes;
}

/** Whether it may, depending on context that is not known. */
export function mayResourceOpen(verdicts: Verdicts): boolean {
  return resourceSide(verdicts).allow === unknown;
}

export function isKeyAction({ service, resource }: RequestContext): boolean {
  return service === "kms" && /^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(resource);
}

/** Trust policies and key policies are not optional: without their allow, not even the account's administrator gets in. */
export function needsResourceGrant(request: RequestContext): boolean {
  const { action, service, resource } = request;
  if (service === "kms") return isKeyAction(request);
  if (service !== "sts") return false;
  const isTrustAction =
    action.startsWith("sts:assumerole") || action === "sts:tagsession" || action === "sts:setsourceidentity";
  return isTrustAction && /^arn:[^:]*:iam::[^:]*:role\//.test(resource);
}

/** Whether the request can't pass without an allow in the resource's own policy. */
export function dependsOnResource(request: RequestContext): boolean {
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  return !hasIdentity(request) || !isSameAccount || needsResourceGrant(request);
}
