import { listBlocking } from "./blocking-layers.ts";
import { decideGrant, hasIdentity, isKeyAction, limitedIdentity, type Verdicts } from "./decide-grant.ts";
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
import { judgePublicAccess } from "./judge-public-access.ts";
import { isRcpAction } from "./rcp-services.ts";
import { openRequest, type RequestContext } from "./request-context.ts";
import { isServiceLinked } from "./request-principal.ts";
import { type Outcome, supposeWorlds } from "./suppose-worlds.ts";
import { and, no, or, type Truth, unknown, yes } from "./truth.ts";

export interface EvaluateOptions {
  /**
   * `identity-side` answers as if the resource's own policy allowed whatever the identity may do, which is what AWS's policy
   * simulator does for roles: the resource policy and the account of the resource have no say.
   */
  readonly scope?: "everything" | "identity-side";
}

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
  const first = weigh({ given, isIdentitySide }, request, matched);
  const decision = settle({ given, isIdentitySide }, request, first);
  const layers = describeLayers(first.verdicts);
  if (decision === "Allowed") return { decision, blockedBy: [], matched, missingContext: [], layers };
  const blockedBy = listBlocking({ ...first, decision, request, isIdentitySide });
  const granting = beside.filter((layer) => first.verdicts[layer] !== undefined);
  const inspected = new Set<Layer>([...blockedBy, ...granting]);
  const question = { given, request, decision, layers: [...inspected] };
  return { decision, blockedBy, matched, missingContext: listMissingContext(question), layers };
}

/** What may grant beside the identity's own policies. */
const beside = ["resource", "kms-grant", "acl"] as const;
const limiting = ["public-access-block", "scp", "rcp", "vpc-endpoint"] as const;

interface Weighing {
  readonly verdicts: Verdicts;
  /** Whether somebody grants the request, before the limits of organisation and endpoint. */
  readonly grant: Truth;
  readonly allow: Truth;
  readonly deny: Truth;
}

interface Subject {
  readonly given: EvaluationCase;
  readonly isIdentitySide: boolean;
}

function weigh(
  { given, isIdentitySide }: Subject,
  request: RequestContext,
  matched: MatchedStatement[],
): Weighing {
  const verdicts = evaluateLayers(given, request, matched);
  const grant = isIdentitySide ? limitedIdentity(verdicts, request) : decideGrant(verdicts, request);
  const allow = limiting.reduce((result, layer) => and(result, verdicts[layer]?.allow ?? yes), grant);
  let deny: Truth = no;
  for (const layer of layerOrder) deny = or(deny, verdicts[layer]?.deny ?? no);
  return { verdicts, grant, allow, deny };
}

function settle(subject: Subject, request: RequestContext, first: Weighing): Decision {
  const decision = decide(first);
  return decision === "Unknown"
    ? decide(supposeWorlds(request, (world) => weigh(subject, world, [])))
    : decision;
}

function withoutResourcePolicy(given: EvaluationCase): EvaluationCase {
  const { resourcePolicy: _policy, kmsGrants: _grants, bucket: _bucket, ...rest } = given;
  return rest;
}

function decide({ allow, deny }: Outcome): Decision {
  if (deny === yes) return "ExplicitlyDenied";
  if (allow === no) return "ImplicitlyDenied";
  return allow === yes && deny === no ? "Allowed" : "Unknown";
}

/** All layers from the start: objects of one shape are read far quicker than those that lack some of it. */
function emptyVerdicts(): Partial<Record<Layer, PoliciesVerdict | undefined>> {
  return {
    identity: undefined,
    boundary: undefined,
    session: undefined,
    resource: undefined,
    "kms-grant": undefined,
    acl: undefined,
    "public-access-block": undefined,
    scp: undefined,
    rcp: undefined,
    "vpc-endpoint": undefined,
  };
}

function evaluateLayers(
  given: EvaluationCase,
  request: RequestContext,
  matched: MatchedStatement[],
): Verdicts {
  const verdicts = emptyVerdicts();
  for (const layer of layersFor(given, request)) {
    const sets = listLayerPolicies(given, layer);
    if (sets.length === 0) continue;
    const isOrganization = layer === "scp" || layer === "rcp";
    verdicts[layer] = isOrganization
      ? evaluateLevels(sets, request, matched)
      : evaluatePolicies(sets[0] as LayerPolicies, request, matched);
  }
  const publicAccess = judgePublicAccess(given, request);
  if (publicAccess !== undefined) verdicts["public-access-block"] = publicAccess;
  return verdicts;
}

/** The layers that have a say for this caller and resource, if the case holds them. */
function layersFor(given: EvaluationCase, request: RequestContext): readonly Layer[] {
  const { managementAccountId } = given;
  const isExempt = isServiceLinkedCaller(request);
  const layers: Layer[] = [];
  if (hasIdentity(request)) {
    if (request.principal.kind !== "root") layers.push("identity", "boundary");
    layers.push("session");
  }
  layers.push("resource");
  if (given.kmsGrants !== undefined && isKeyAction(request)) layers.push("kms-grant");
  if (given.bucket !== undefined && request.service === "s3") layers.push("acl");
  const isLimited = hasIdentity(request) && request.principal.accountId !== managementAccountId;
  if (isLimited && !isExempt) layers.push("scp");
  const isManagements = request.resourceAccountId === managementAccountId;
  if (isRcpAction(request.action, request.service) && !isExempt && !isManagements) layers.push("rcp");
  if (given.vpcEndpointPolicies?.length !== 0) layers.push("vpc-endpoint");
  return layers;
}

function isServiceLinkedCaller(request: RequestContext): boolean {
  const arn = request.readKey("aws:principalarn");
  return isServiceLinked(request.principal, typeof arn === "string" ? undefined : arn[0]);
}

const layerOrder: readonly Layer[] = [
  "identity",
  "boundary",
  "session",
  "resource",
  "kms-grant",
  "acl",
  "public-access-block",
  "scp",
  "rcp",
  "vpc-endpoint",
];

/** Made once, in their order: most layers of most requests have no say. */
const silentLayers = layerOrder.map((layer): LayerVerdict =>
  Object.freeze({ layer, verdict: "not-applicable" as const }),
);

/** A plain loop: this is done for every request. */
function describeLayers(verdicts: Verdicts): readonly LayerVerdict[] {
  const layers: LayerVerdict[] = [];
  for (let place = 0; place < silentLayers.length; place++) {
    const silent = silentLayers[place] as LayerVerdict;
    const verdict = verdicts[silent.layer];
    layers.push(verdict === undefined ? silent : describeLayer(silent.layer, verdict));
  }
  return layers;
}

function describeLayer(layer: Layer, verdict: PoliciesVerdict): LayerVerdict {
  const name = nameVerdict(verdict);
  const closed = verdict.closedLevels;
  return closed === undefined || closed.length === 0
    ? { layer, verdict: name }
    : { layer, verdict: name, closedLevels: closed };
}

function nameVerdict({ allow, deny }: PoliciesVerdict): LayerVerdict["verdict"] {
  if (deny === yes) return "denies";
  if (deny === unknown || allow === unknown) return "unknown";
  return allow === yes ? "allows" : "does-not-allow";
}
