import { readdirSync, readFileSync } from "node:fs";
import type { ContextValue, Decision, EvaluationCase, EvaluationRequest } from "../evaluation-case.ts";
import type { ConditionBlock } from "../policy-document.ts";

/** A case as it is written in a data file: what differs from the file's base, and what has to come out. */
interface WrittenCase extends Partial<Omit<EvaluationCase, "request">> {
  readonly name: string;
  readonly request?: Partial<EvaluationRequest>;
  readonly context?: Readonly<Record<string, ContextValue>>;
  /** Shorthand: one identity policy that allows everything under this condition. */
  readonly condition?: ConditionBlock;
  readonly decision: Decision;
  readonly blockedBy?: readonly string[];
  readonly missingContext?: readonly string[];
  readonly matched?: readonly object[];
}

export interface ExpectedCase {
  readonly feature: string;
  readonly given: EvaluationCase;
  readonly expected: Pick<WrittenCase, "decision" | "blockedBy" | "missingContext" | "matched">;
}

/** All cases of the data files in this folder, one file an AWS feature. */
export function readCaseFiles(): readonly ExpectedCase[] {
  const folder = new URL(".", import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const { base, cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as {
        readonly base: EvaluationCase;
        readonly cases: readonly WrittenCase[];
      };
      return cases.map((written) => completeCase(file.replace(".json", ""), base, written));
    });
}

function completeCase(feature: string, base: EvaluationCase, written: WrittenCase): ExpectedCase {
  const { decision, blockedBy, missingContext, matched, condition, context, request, ...layers } = written;
  const policy = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: condition },
  };
  const shorthand = condition === undefined ? {} : { identityPolicies: [{ name: "P", policy }] };
  const given = {
    // A case takes a layer of the base away by writing null.
    ...Object.fromEntries(Object.entries({ ...base, ...layers }).filter(([, value]) => value !== null)),
    ...shorthand,
    request: { ...base.request, ...request, context: { ...base.request.context, ...context } },
  };
  const wanted = { decision, blockedBy, missingContext, matched };
  const expected = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return { feature, given, expected: expected as unknown as ExpectedCase["expected"] };
}
