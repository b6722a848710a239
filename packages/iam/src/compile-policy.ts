import { type ActionPattern, compileAction, listsAction } from "./action-pattern.ts";
import { compileCondition, type Condition } from "./condition.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { OneOrMany, PolicyDocument, StatementDocument } from "./policy-document.ts";
import { compilePrincipal, type PrincipalPattern } from "./principal-pattern.ts";
import { compileResourcePattern, type ResourcePattern } from "./resource-pattern.ts";

export interface CompiledStatement {
  readonly index: number;
  readonly document: StatementDocument;
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly ActionPattern[];
  readonly isNotAction: boolean;
  /** Undefined where the statement has no `Resource`: it then means the one resource the policy is attached to. */
  readonly resources: readonly ResourcePattern[] | undefined;
  readonly isNotResource: boolean;
  readonly principal: PrincipalPattern | undefined;
  readonly isNotPrincipal: boolean;
  readonly conditions: readonly Condition[];
}

export interface CompiledPolicy {
  readonly statements: readonly CompiledStatement[];
  /** The statements whose actions cover this one (in lower case), in the policy's order. */
  statementsFor(action: string): readonly CompiledStatement[];
}

const compiled = new WeakMap<object, CompiledPolicy>();

/** Compiles a policy once for each document object; the document must not be changed afterwards. */
export function compilePolicy(document: object, name: string): CompiledPolicy {
  const known = compiled.get(document);
  if (known !== undefined) return known;
  const policy = buildPolicy(parsePolicy(document, name));
  compiled.set(document, policy);
  return policy;
}

function buildPolicy(document: PolicyDocument): CompiledPolicy {
  const withVariables = document.Version === "2012-10-17";
  const statements = listOf(document.Statement).map((statement, index) =>
    compileStatement(statement, { index, withVariables }),
  );
  return { statements, statementsFor: rememberByAction(statements) };
}

/** Callers ask about the same few actions again and again; past this many of them, it starts over. */
const maxRemembered = 1_000;

function rememberByAction(
  statements: readonly CompiledStatement[],
): (action: string) => readonly CompiledStatement[] {
  const known = new Map<string, readonly CompiledStatement[]>();
  return (action) => {
    const found = known.get(action);
    if (found !== undefined) return found;
    if (known.size >= maxRemembered) known.clear();
    const covering = statements.filter((each) => listsAction(each.actions, action) !== each.isNotAction);
    known.set(action, covering);
    return covering;
  };
}

function compileStatement(
  document: StatementDocument,
  { index, withVariables }: { index: number; withVariables: boolean },
): CompiledStatement {
  const resources = document.Resource ?? document.NotResource;
  const principal = document.Principal ?? document.NotPrincipal;
  return {
    index,
    document,
    effect: document.Effect,
    actions: listOf(document.Action ?? document.NotAction ?? []).map(compileAction),
    isNotAction: document.Action === undefined,
    resources:
      resources === undefined
        ? undefined
        : listOf(resources).map((each) => compileResourcePattern(each, withVariables)),
    isNotResource: document.Resource === undefined && resources !== undefined,
    principal: principal === undefined ? undefined : compilePrincipal(principal),
    isNotPrincipal: document.Principal === undefined && principal !== undefined,
    conditions: Object.entries(document.Condition ?? {}).flatMap(([operatorText, keys]) =>
      Object.entries(keys).map(([key, values]) =>
        compileCondition({ operatorText, key, values, withVariables }),
      ),
    ),
  };
}

function listOf<T>(values: OneOrMany<T>): readonly T[] {
  return (Array.isArray(values) ? values : [values]) as readonly T[];
}
