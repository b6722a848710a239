import type { EvaluationCase, EvaluationResult, Layer } from "./evaluation-case.ts";
import type { StatementDocument } from "./policy-document.ts";

/** Why a request was decided as it was, for a person who has to act on it. */
export interface Explanation {
  /** Who, what, on what, which layer and statement, and what failed; one sentence, carried everywhere as it is. */
  readonly sentence: string;
  readonly layer?: Layer;
  readonly statement?: { readonly policy: string; readonly sid?: string; readonly index: number };
  readonly missingContext: readonly string[];
  /** The smallest statement that mends it, where one can be given. */
  readonly fix?: StatementDocument;
}

export function explain({ request }: EvaluationCase, result: EvaluationResult): Explanation {
  const who = typeof request.principal === "string" ? request.principal : "an anonymous caller";
  const [layer] = result.blockedBy;
  const statement = result.matched.find((each) => each.effect === "Deny" && each.layer === layer);
  const where = layer === undefined ? "" : ` because of the ${layer} policies`;
  return {
    sentence: `${who} is ${result.decision} ${request.action} on ${request.resource.resource}${where}.`,
    ...(layer === undefined ? {} : { layer }),
    ...(statement === undefined ? {} : { statement }),
    missingContext: result.missingContext,
  };
}
