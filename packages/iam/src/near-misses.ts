import type { EvaluationCase, EvaluationResult, Layer } from "./evaluation-case.ts";
import { openRequest, type RequestContext } from "./request-context.ts";
import { type StatementTrace, traceStatements } from "./trace-statements.ts";
import { no } from "./truth.ts";

/** An Allow that would have let the request pass but for one part of it. */
export interface NearMiss {
  readonly trace: StatementTrace;
  readonly because: "conditions" | "resource" | "caller";
}

/**
 * The Allow that came nearest to opening a silent layer. Only organisation levels that don't allow are looked at; within
 * the account a grant by the resource's policy would do as well, so that a near miss there counts where the identity's own
 * policies have none.
 */
export function findNearestMiss(
  given: EvaluationCase,
  result: EvaluationResult,
  layer: Layer,
): NearMiss | undefined {
  const request = openRequest(given);
  const closed = result.layers.find((each) => each.layer === layer)?.closedLevels;
  const own = findNearMisses(given, layer, request).find(
    ({ trace }) => closed === undefined || closed.includes(trace.orgIdentifier ?? ""),
  );
  const isSameAccount = request.principal.accountId === request.resourceAccountId;
  if (own !== undefined) return own;
  const others: readonly Layer[] =
    layer === "resource" ? beside : layer === "identity" && isSameAccount ? ["resource", ...beside] : [];
  return others.flatMap((each) => findNearMisses(given, each, request))[0];
}

/** What may grant beside the resource's own policy. */
const beside: readonly Layer[] = ["kms-grant", "acl"];

/** The Allow statements of a layer that nearly matched, the nearest first. */
function findNearMisses(given: EvaluationCase, layer: Layer, request: RequestContext): readonly NearMiss[] {
  return traceStatements(given, layer, request)
    .filter(({ statement, action }) => statement.effect === "Allow" && action)
    .flatMap((trace) => {
      const because = whichPartMissed(trace);
      return because === undefined ? [] : [{ trace, because }];
    })
    .sort((left, right) => distance(left) - distance(right));
}

function whichPartMissed({ resources, caller, failing }: StatementTrace): NearMiss["because"] | undefined {
  const missed: NearMiss["because"][] = [];
  if (failing.length > 0) missed.push("conditions");
  if (resources === no) missed.push("resource");
  if (caller === "none") missed.push("caller");
  return missed.length === 1 ? missed[0] : undefined;
}

function distance({ trace, because }: NearMiss): number {
  return because === "conditions" ? trace.failing.length : because === "caller" ? 10 : 20;
}
