import { evaluate, type EvaluateOptions } from "./evaluate.ts";
import type { EvaluationCase, EvaluationResult, Layer } from "./evaluation-case.ts";
import { listLayerPolicies, policyName } from "./layer-policies.ts";
import { findNearestMiss } from "./near-misses.ts";
import { isPatchedLayer, patchCase, type PatchedLayer, type PolicyPatch } from "./policy-patch.ts";
import { openRequest } from "./request-context.ts";
import { exceptCaller, suggestAllow, widenConditions } from "./suggest-fix.ts";
import { findStatementTrace, type StatementTrace } from "./trace-statements.ts";

/** What has to change for a request to pass. */
export interface SuggestedPatches {
  /** In the order in which the layers are met; each is the smallest change of its policy. */
  readonly patches: readonly PolicyPatch[];
  /** Whether the request is allowed with all of them, as the evaluator says; otherwise the request itself has to change. */
  readonly isEnough: boolean;
}

/** A path of four levels, a boundary and two granting policies can all be silent; more rounds than that mend nothing. */
const mostRounds = 16;

/**
 * The smallest changes that let the request pass: found by changing one policy after the other and asking the evaluator
 * again, so what is suggested is known to mend it.
 */
export function suggestPatches(given: EvaluationCase, options: EvaluateOptions = {}): SuggestedPatches {
  const patches: PolicyPatch[] = [];
  const { resourcePolicy: _policy, kmsGrants: _grants, bucket: _bucket, ...identitySide } = given;
  let current: EvaluationCase = options.scope === "identity-side" ? identitySide : given;
  for (let round = 0; round < mostRounds; round++) {
    const result = evaluate(current, options);
    if (result.decision === "Allowed") return { patches, isEnough: true };
    const patch = nextPatch(current, result);
    if (patch === undefined) break;
    patches.push(patch);
    current = patchCase(current, patch);
  }
  return { patches, isEnough: false };
}

function nextPatch(given: EvaluationCase, result: EvaluationResult): PolicyPatch | undefined {
  if (result.decision === "Unknown") return undefined;
  if (result.decision === "ExplicitlyDenied") {
    const place = result.matched.find(({ effect, unknown }) => effect === "Deny" && unknown === undefined);
    const trace = place === undefined ? undefined : findStatementTrace(given, place);
    if (trace === undefined) return undefined;
    const excepted = exceptCaller(given, trace);
    if (excepted !== undefined) return replacing(given, trace, excepted);
    return isMeantFor(given, trace) ? { ...placeOf(given, trace), change: "remove" } : undefined;
  }
  const [layer] = result.blockedBy;
  if (layer === undefined || !isPatchedLayer(layer)) return undefined;
  const miss = findNearestMiss(given, result, layer);
  // A grant or an ACL that nearly allowed is nobody's to widen: the resource's policy can say the same.
  if (miss !== undefined && !isPatchedLayer(miss.trace.layer)) return adding(given, result, "resource");
  if (miss?.because === "conditions") return replacing(given, miss.trace, widenConditions(miss.trace));
  const at = miss?.trace.layer;
  return adding(given, result, at !== undefined && isPatchedLayer(at) ? at : layer);
}

function replacing(
  given: EvaluationCase,
  trace: StatementTrace,
  statement: PolicyPatch["statement"] | undefined,
): PolicyPatch | undefined {
  if (statement === undefined) return undefined;
  return { ...placeOf(given, trace), change: "replace", statement };
}

function placeOf(given: EvaluationCase, trace: StatementTrace): Omit<PolicyPatch, "change"> {
  const { document, index } = trace.statement;
  return {
    layer: trace.layer as PatchedLayer,
    policy: trace.policy,
    ...(trace.orgIdentifier === undefined ? {} : { orgIdentifier: trace.orgIdentifier }),
    ...accountOf(given, trace.layer),
    index,
    ...(document.Sid === undefined ? {} : { sid: document.Sid }),
    statement: document,
  };
}

/** A service has no ARN to except; a deny of nobody but this service is for its owner to take back. */
function isMeantFor({ request }: EvaluationCase, { statement }: StatementTrace): boolean {
  const { Principal } = statement.document;
  if (Principal === undefined || Principal === "*" || typeof request.principal !== "string") return false;
  const named = Object.values(Principal).flat();
  return named.length === 1 && named[0] === request.principal;
}

/** The allow goes where its like already stands: the policy nearest to allowing, else the first of the layer. */
function adding(given: EvaluationCase, result: EvaluationResult, layer: PatchedLayer): PolicyPatch {
  const closed = result.layers.find((each) => each.layer === layer)?.closedLevels;
  const sets = listLayerPolicies(given, layer);
  const set =
    closed === undefined ? sets[0] : sets.find(({ orgIdentifier }) => closed.includes(orgIdentifier ?? ""));
  const nearest = findNearestMiss(given, result, layer)?.trace;
  const near = nearest !== undefined && isPatchedLayer(nearest.layer) ? nearest : undefined;
  const [first] = set?.policies ?? [];
  const policy = near?.policy ?? (first === undefined ? undefined : policyName(layer, first, 0));
  return {
    layer,
    ...(policy === undefined ? {} : { policy }),
    ...(set?.orgIdentifier === undefined ? {} : { orgIdentifier: set.orgIdentifier }),
    ...accountOf(given, layer),
    change: "add",
    statement: suggestAllow(given, layer),
  };
}

/** Whose account the policies of a layer are in; organisation policies are in none, an endpoint's is not known. */
export function accountOf({ request }: EvaluationCase, layer: Layer): { readonly accountId?: string } {
  if (layer === "resource" || layer === "kms-grant" || layer === "acl")
    return { accountId: request.resource.accountId };
  if (layer === "public-access-block") return { accountId: request.resource.accountId };
  if (layer === "scp" || layer === "rcp" || layer === "vpc-endpoint") return {};
  const { accountId } = openRequest({ request }).principal;
  return accountId === undefined ? {} : { accountId };
}
