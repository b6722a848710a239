import type { LintFinding } from "./lint-finding.ts";
import { findingAt, type LintContext, type LintedAction, type LintedStatement } from "./linted-statement.ts";
import { nearestName } from "./nearest-name.ts";
import type { ServiceReference } from "./service-reference.ts";

/** Actions that don't exist, and wildcards that match none. */
export function lintActions(statement: LintedStatement, { reference }: LintContext): readonly LintFinding[] {
  const element = statement.document.Action === undefined ? "NotAction" : "Action";
  return statement.actions.flatMap((action) => {
    if (action.problem === undefined) return [];
    return [findingAt(statement, { ...describeProblem(action, reference), element })];
  });
}

type Problem = Pick<LintFinding, "code" | "severity" | "message" | "suggestion">;

function describeProblem(action: LintedAction, reference: ServiceReference): Problem {
  const { text, problem, hasWildcard } = action;
  const [prefix = ""] = text.toLowerCase().split(":");
  if (problem === "unknown-service") {
    const service = nearestName(prefix, reference.services);
    return {
      code: "unknown-service",
      severity: "error",
      message: `${text}: AWS has no service with the prefix ${JSON.stringify(prefix)}`,
      ...suggest(service === undefined ? undefined : `${service}:${text.slice(prefix.length + 1)}`),
    };
  }
  if (hasWildcard) {
    return {
      code: "wildcard-matches-nothing",
      severity: "error",
      message: `${text} matches no action of AWS`,
    };
  }
  return {
    code: "unknown-action",
    severity: "error",
    message: `${text} is not an action of AWS`,
    ...suggest(nearestAction(text, reference)),
  };
}

function suggest(suggestion: string | undefined): { readonly suggestion?: string } {
  return suggestion === undefined ? {} : { suggestion };
}

/** Of the same service a name that is spelled nearly so; else the same name of another service. */
function nearestAction(text: string, reference: ServiceReference): string | undefined {
  const [prefix = "", name = ""] = text.toLowerCase().split(":");
  const own = [...(reference.find(prefix)?.actions.values() ?? [])].map((action) => action.name);
  const near = nearestName(text, own);
  if (near !== undefined) return near;
  const found = reference.findByName(name);
  return found.length === 1 ? found[0] : undefined;
}
