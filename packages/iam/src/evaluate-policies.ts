import { compilePolicy, type CompiledStatement } from "./compile-policy.ts";
import type { Layer, MatchedStatement } from "./evaluation-case.ts";
import { type LayerPolicies, policyName } from "./layer-policies.ts";
import { matchCaller, matchStatement } from "./match-statement.ts";
import type { RequestContext } from "./request-context.ts";
import { and, no, or, type Truth, unknown, yes } from "./truth.ts";

/** What the policies of one layer, taken together, say about a request. */
export interface PoliciesVerdict {
  readonly deny: Truth;
  /** Whether some statement allows, however it names the caller. */
  readonly allow: Truth;
  /** Whether some statement allows that names the caller by role, or directly (see `PrincipalMatch`). */
  readonly allowRole: Truth;
  readonly allowDirect: Truth;
  readonly closedLevels?: readonly string[];
}

interface MutableVerdict {
  deny: Truth;
  allow: Truth;
  allowRole: Truth;
  allowDirect: Truth;
}

/** Evaluates a set of policies as one, and appends the statements that (may) apply to `matched`. */
export function evaluatePolicies(
  set: LayerPolicies,
  request: RequestContext,
  matched: MatchedStatement[],
): PoliciesVerdict {
  const verdict: MutableVerdict = { deny: no, allow: no, allowRole: no, allowDirect: no };
  for (const [place, named] of set.policies.entries()) {
    const policy = policyName(set.layer, named, place);
    for (const statement of compilePolicy(named.policy, policy).statementsFor(request.action)) {
      const truth = addStatement(verdict, { statement, layer: set.layer }, request);
      if (truth !== no) matched.push(describeMatch({ set, policy, statement, truth }));
    }
  }
  return verdict;
}

interface PlacedStatement {
  readonly statement: CompiledStatement;
  readonly layer: Layer;
}

function addStatement(
  verdict: MutableVerdict,
  { statement, layer }: PlacedStatement,
  request: RequestContext,
): Truth {
  const truth = matchStatement(statement, request);
  if (truth === no) return no;
  const caller = matchCaller(statement, request, layer);
  if (caller === "none") return no;
  if (statement.effect === "Deny") verdict.deny = or(verdict.deny, truth);
  else {
    verdict.allow = or(verdict.allow, truth);
    if (caller === "role") verdict.allowRole = or(verdict.allowRole, truth);
    if (caller === "direct") verdict.allowDirect = or(verdict.allowDirect, truth);
  }
  return truth;
}

interface Match {
  readonly set: LayerPolicies;
  readonly policy: string;
  readonly statement: CompiledStatement;
  readonly truth: Truth;
}

/** Built without spreads: this runs for every statement that applies. */
function describeMatch({ set, policy, statement, truth }: Match): MatchedStatement {
  const match: { -readonly [Key in keyof MatchedStatement]: MatchedStatement[Key] } = {
    layer: set.layer,
    policy,
    index: statement.index,
    effect: statement.effect,
  };
  if (set.orgIdentifier !== undefined) match.orgIdentifier = set.orgIdentifier;
  if (statement.document.Sid !== undefined) match.sid = statement.document.Sid;
  if (truth === unknown) match.unknown = true;
  return match;
}

/** An organisation's policies: each level on the path has to allow; a deny on any of them denies. */
export function evaluateLevels(
  levels: readonly LayerPolicies[],
  request: RequestContext,
  matched: MatchedStatement[],
): PoliciesVerdict {
  let deny: Truth = no;
  let allow: Truth = yes;
  const closedLevels: string[] = [];
  for (const level of levels) {
    const verdict = evaluatePolicies(level, request, matched);
    deny = or(deny, verdict.deny);
    allow = and(allow, verdict.allow);
    if (verdict.allow !== yes) closedLevels.push(level.orgIdentifier ?? "");
  }
  return { deny, allow, allowRole: no, allowDirect: no, closedLevels };
}
