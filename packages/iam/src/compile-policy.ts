import { compileCondition, type Condition } from "./condition.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { OneOrMany, PolicyDocument, StatementDocument } from "./policy-document.ts";
import { compilePrincipal, type PrincipalPattern } from "./principal-pattern.ts";
import { compileResourcePattern, type ResourcePattern } from "./resource-pattern.ts";
import { appendPattern, type PatternCodes } from "./wildcard-pattern.ts";

export interface ActionPattern {
  /** In lower case; actions are compared without case. */
  readonly text: string;
  readonly service: string | undefined;
  readonly codes: PatternCodes | undefined;
}

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
  /** The statements that can concern a service's actions, in the policy's order. */
  statementsFor(service: string): readonly CompiledStatement[];
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
  const anyService = statements.filter((statement) => concernsAnyService(statement));
  const byService = new Map<string, readonly CompiledStatement[]>();
  for (const service of new Set(
    statements.flatMap((statement) => statement.actions.map((each) => each.service)),
  )) {
    if (service === undefined) continue;
    byService.set(
      service,
      statements.filter(
        (each) => concernsAnyService(each) || each.actions.some((one) => one.service === service),
      ),
    );
  }
  return { statements, statementsFor: (service) => byService.get(service) ?? anyService };
}

function concernsAnyService(statement: CompiledStatement): boolean {
  return statement.isNotAction || statement.actions.some((action) => action.service === undefined);
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

function compileAction(action: string): ActionPattern {
  const text = action.toLowerCase();
  const service = text.slice(0, Math.max(text.indexOf(":"), 0));
  const hasWildcard = /[*?]/.test(text);
  const codes: number[] = [];
  appendPattern(codes, text);
  return {
    text,
    service: service === "" || /[*?]/.test(service) ? undefined : service,
    codes: hasWildcard ? codes : undefined,
  };
}

function listOf<T>(values: OneOrMany<T>): readonly T[] {
  return (Array.isArray(values) ? values : [values]) as readonly T[];
}
