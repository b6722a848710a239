import { evaluateLevels, evaluatePolicies, type PoliciesVerdict } from "./evaluate-policies.ts";
import type {
  Decision,
  EvaluationCase,
  EvaluationResult,
  Layer,
  LayerVerdict,
  MatchedStatement,
} from "./evaluation-case.ts";
import { type LayerPolicies, listLayerPolicies } from "./layer-policies.ts";
import { listMissingContext } from "./missing-context.ts";
import { isRcpService } from "./rcp-services.ts";
import { openRequest, type RequestContext } from "./request-context.ts";
import { isServiceLinked } from "./request-principal.ts";
import { and, no, or, type Truth, unknown, yes } from "./truth.ts";

export interface EvaluateOptions {
  /**
   * `identity-side` answers as if the resource's own policy allowed whatever the identity may do, which is what AWS's policy
   * simulator does for roles: the resource policy and the account of the resource have no say.
   */
  readonly scope?: "everything" | "identity-side";
}

/** The verdicts of the layers that apply; a layer that is absent has no say. */
type Verdicts = Readonly<Partial<Record<Layer, PoliciesVerdict>>>;

/**
 * Decides a request as AWS does: an explicit deny in any layer ends it; otherwise the request needs a grant (from the
 * identity's policies, the resource's, or both, depending on whose account the resource is in) that every limiting layer
 * (boundary, session, SCP, RCP, endpoint) lets pass.
 *
 * `Unknown` is answered only if unknown context decides; a request that is denied for all of its values is
 * `ImplicitlyDenied`, though for some of them the denial might be an explicit one. Throws `iam-policy-invalid`.
 */
export function evaluate(evaluationCase: EvaluationCase, options: EvaluateOptions = {}): EvaluationResult {
  const isIdentitySide = options.scope === "identity-side";
  const given = isIdentitySide ? withoutResourcePolicy(evaluationCase) : evaluationCase;
  const request = openRequest(given);
  const matched: MatchedStatement[] = [];
  const verdicts = evaluateLayers(given, request, matched);
  const grant = isIdentitySide ? limitedIdentity(verdicts, request) : decideGrant(verdicts, request);
  const allow = (["scp", "rcp", "vpc-endpoint"] as const).reduce(
    (result, layer) => and(result, verdicts[layer]?.allow ?? yes),
    grant,
  );
  const deny = Object.values(verdicts).reduce<Truth>((result, verdict) => or(result, verdict.deny), no);
  const decision = decide(allow, deny);
  const layers = describeLayers(verdicts);
  if (decision === "Allowed") return { decision, blockedBy: [], matched, missingContext: [], layers };
  const blockedBy = listBlocking({ verdicts, decision, request, isIdentitySide });
  const inspected = new Set<Layer>(verdicts.resource === undefined ? blockedBy : [...blockedBy, "resource"]);
  const question = { given, request, decision, layers: [...inspected] };
  return { decision, blockedBy, matched, missingContext: listMissingContext(question), layers };
}

function withoutResourcePolicy({ resourcePolicy: _left, ...rest }: EvaluationCase): EvaluationCase {
  return rest;
}

function decide(allow: Truth, deny: Truth): Decision {
  if (deny === yes) return "ExplicitlyDenied";
  if (allow === no) return "ImplicitlyDenied";
  return allow === yes && deny === no ? "Allowed" : "Unknown";
}

function evaluateLayers(
  given: EvaluationCase,
  request: RequestContext,
  matched: MatchedStatement[],
): Verdicts {
  const verdicts: Partial<Record<Layer, PoliciesVerdict>> = {};
  for (const layer of layersFor(given, request)) {
    const sets = listLayerPolicies(given, layer);
    if (sets.length === 0) continue;
    const isOrganization = layer === "scp" || layer === "rcp";
    verdicts[layer] = isOrganization
      ? evaluateLevels(sets, request, matched)
      : evaluatePolicies(sets[0] as LayerPolicies, request, matched);
  }
  return verdicts;
}

/** The layers that have a say for this caller and resource, if the case holds them. */
function layersFor({ vpcEndpointPolicies }: EvaluationCase, request: RequestContext): readonly Layer[] {
  const isExempt = isServiceLinkedCaller(request);
  const layers: Layer[] = [];
  if (hasIdentity(request)) {
    if (request.principal.kind !== "root") layers.push("identity", "boundary");
    layers.push("session");
  }
  layers.push("resource");
  if (hasIdentity(request) && !isExempt) layers.push("scp");
  if (isRcpService(request.service) && !isExempt) layers.push("rcp");
  if (vpcEndpointPolicies?.length !== 0) layers.push("vpc-endpoint");
  return layers;
}

/** Services, identity providers and anonymous callers have no policies of their own and belong to no organisation. */
function hasIdentity({ principal }: RequestContext): boolean {
  return principal.accountId !== undefined;
}

function isServiceLinkedCaller(request: RequestContext): boolean {
  const arn = request.readKey("aws:principalarn");
  return isServiceLinked(request.principal, typeof arn === "string" ? undefined : arn[0]);
}

/** What the identity itself is granted within its boundary and session. The root user needs no policy. */
function limitedIdentity(verdicts: Verdicts, request: RequestContext): Truth {
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
function decideGrant(verdicts: Verdicts, request: RequestContext): Truth {
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

function describeLayers(verdicts: Verdicts): readonly LayerVerdict[] {
  const order: readonly Layer[] = [
    "identity",
    "boundary",
    "session",
    "resource",
    "scp",
    "rcp",
    "vpc-endpoint",
  ];
  return order.map((layer) => {
    const verdict = verdicts[layer];
    if (verdict === undefined) return { layer, verdict: "not-applicable" as const };
    const closed = verdict.closedLevels ?? [];
    return { layer, verdict: nameVerdict(verdict), ...(closed.length === 0 ? {} : { closedLevels: closed }) };
  });
}

function nameVerdict({ allow, deny }: PoliciesVerdict): LayerVerdict["verdict"] {
  if (deny === yes) return "denies";
  if (deny === unknown || allow === unknown) return "unknown";
  return allow === yes ? "allows" : "does-not-allow";
}

interface BlockingInput {
  readonly verdicts: Verdicts;
  readonly decision: Decision;
  readonly request: RequestContext;
  readonly isIdentitySide: boolean;
}

/** The layers that a person has to change for the request to pass. */
function listBlocking({ verdicts, decision, request, isIdentitySide }: BlockingInput): readonly Layer[] {
  const entries = Object.entries(verdicts) as [Layer, PoliciesVerdict][];
  if (decision === "ExplicitlyDenied")
    return entries.filter(([, each]) => each.deny === yes).map(([layer]) => layer);
  const worst: Truth = decision === "Unknown" ? unknown : no;
  const isBlocking = (verdict: PoliciesVerdict) =>
    verdict.allow <= worst || (decision === "Unknown" && verdict.deny === unknown);
  const blocking = entries
    .filter(([layer, verdict]) => layer !== "identity" && layer !== "resource" && isBlocking(verdict))
    .map(([layer]) => layer);
  return [...listMissingGrants({ verdicts, decision, request, isIdentitySide }), ...blocking];
}

/** Which of the two granting sides is missing; where either would do, the identity's policies are named. */
function listMissingGrants({ verdicts, decision, request, isIdentitySide }: BlockingInput): readonly Layer[] {
  const isUnknown = decision === "Unknown";
  const isOpen = (verdict: PoliciesVerdict | undefined) =>
    verdict !== undefined && verdict.allow === yes && !(isUnknown && verdict.deny === unknown);
  const hasOwn = hasIdentity(request) && request.principal.kind !== "root";
  const isIdentityOpen = !hasOwn || isOpen(verdicts.identity);
  const needsResource =
    !isIdentitySide &&
    (!hasIdentity(request) ||
      request.principal.accountId !== request.resourceAccountId ||
      needsResourceGrant(request));
  const missing: Layer[] = [];
  if (!isIdentityOpen) missing.push("identity");
  const hangsOnResource =
    isUnknown && verdicts.resource !== undefined && nameVerdict(verdicts.resource) === "unknown";
  if ((needsResource && !isOpen(verdicts.resource)) || (!isIdentitySide && hangsOnResource))
    missing.push("resource");
  return missing;
}
