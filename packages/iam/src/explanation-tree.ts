import { describeActual, describeWanted } from "./describe-condition.ts";
import { evaluate, type EvaluateOptions } from "./evaluate.ts";
import type { Decision, EvaluationCase, Layer, LayerVerdict } from "./evaluation-case.ts";
import { explain, type Explanation } from "./explain.ts";
import { describeCaller, layerWord } from "./layer-words.ts";
import { openRequest } from "./request-context.ts";
import { type StatementTrace, traceCovering } from "./trace-statements.ts";
import { no, type Truth, yes } from "./truth.ts";

/** Everything that was weighed for one request, from the decision down to each condition: plain data, for a screen. */
export interface ExplanationTree extends Explanation {
  readonly decision: Decision;
  readonly request: {
    readonly principal: string;
    readonly action: string;
    readonly resource: string;
    readonly resourceAccountId: string;
  };
  readonly layers: readonly LayerNode[];
}

export interface LayerNode {
  readonly layer: Layer;
  /** What people call its policies: a role's resource policy is its trust policy. */
  readonly title: string;
  readonly verdict: LayerVerdict["verdict"];
  readonly isBlocking: boolean;
  readonly closedLevels?: readonly string[];
  /** Those that speak of the action; all others have no say. */
  readonly statements: readonly StatementNode[];
}

export interface StatementNode {
  readonly policy: string;
  readonly orgIdentifier?: string;
  readonly sid?: string;
  readonly index: number;
  readonly effect: "Allow" | "Deny";
  readonly outcome: Outcome;
  readonly parts: readonly PartNode[];
}

/** One element of a statement and whether it holds for the request. */
export interface PartNode {
  readonly part: "resource" | "principal" | "condition";
  readonly outcome: Outcome;
  readonly text: string;
}

export type Outcome = "holds" | "fails" | "unknown";

export function explainAsTree(given: EvaluationCase, options: EvaluateOptions = {}): ExplanationTree {
  const result = evaluate(given, options);
  const { action, resource } = given.request;
  const request = openRequest(given);
  return {
    ...explain(given, result, options),
    decision: result.decision,
    request: {
      principal: describeCaller(given),
      action,
      resource: resource.resource,
      resourceAccountId: resource.accountId,
    },
    layers: result.layers
      .filter(({ verdict }) => verdict !== "not-applicable")
      .map(({ layer, verdict, closedLevels }) => ({
        layer,
        title: layerWord(layer, given),
        verdict,
        isBlocking: result.blockedBy.includes(layer),
        ...(closedLevels === undefined ? {} : { closedLevels }),
        statements: traceCovering(given, layer, request).map(toStatement),
      })),
  };
}

function toStatement(trace: StatementTrace): StatementNode {
  const { policy, orgIdentifier, statement } = trace;
  const { Sid: sid } = statement.document;
  const parts = partsOf(trace);
  const isFailed = parts.some(({ outcome }) => outcome === "fails");
  const isOpen = parts.some(({ outcome }) => outcome === "unknown");
  return {
    policy,
    ...(orgIdentifier === undefined ? {} : { orgIdentifier }),
    ...(sid === undefined ? {} : { sid }),
    index: statement.index,
    effect: statement.effect,
    outcome: isFailed ? "fails" : isOpen ? "unknown" : "holds",
    parts,
  };
}

function partsOf({ caller, conditions, resources, statement }: StatementTrace): readonly PartNode[] {
  const { NotPrincipal, NotResource, Principal, Resource } = statement.document;
  const parts: PartNode[] = [];
  if (Resource !== undefined || NotResource !== undefined) {
    const text = Resource === undefined ? `not ${JSON.stringify(NotResource)}` : JSON.stringify(Resource);
    parts.push({ part: "resource", outcome: outcomeOf(resources), text });
  }
  if (Principal !== undefined || NotPrincipal !== undefined) {
    const text = Principal === undefined ? `not ${JSON.stringify(NotPrincipal)}` : JSON.stringify(Principal);
    parts.push({ part: "principal", outcome: caller === "none" ? "fails" : "holds", text });
  }
  for (const trace of conditions) {
    const text = `wants ${describeWanted(trace)}; ${describeActual(trace.actual)}`;
    parts.push({ part: "condition", outcome: outcomeOf(trace.truth), text });
  }
  return parts;
}

function outcomeOf(truth: Truth): Outcome {
  return truth === yes ? "holds" : truth === no ? "fails" : "unknown";
}
