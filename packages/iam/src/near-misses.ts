import type { EvaluationCase, Layer } from "./evaluation-case.ts";
import type { RequestContext } from "./request-context.ts";
import { type StatementTrace, traceStatements } from "./trace-statements.ts";
import { no } from "./truth.ts";

/** An Allow that would have let the request pass but for one part of it. */
export interface NearMiss {
  readonly trace: StatementTrace;
  readonly because: "conditions" | "resource" | "caller";
}

/** The Allow statements of a layer that nearly matched, the nearest first. */
export function findNearMisses(
  given: EvaluationCase,
  layer: Layer,
  request: RequestContext,
): readonly NearMiss[] {
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
