import type { OneOrMany, StatementDocument } from "../policy-document.ts";
import { doesCover, literalCodes } from "./compare-patterns.ts";
import type { LintFinding } from "./lint-finding.ts";
import { type KindRules, kindRules, type LintKind } from "./policy-kinds.ts";
import type { ActionFacts, ServiceReference } from "./service-reference.ts";

/** One value of `Action` or `NotAction` with the actions that it means. */
export interface LintedAction {
  readonly text: string;
  readonly hasWildcard: boolean;
  /** `every` for `*`, which needs no list. */
  readonly meant: readonly ActionFacts[] | "every";
  /** Why it means nothing, where it does. */
  readonly problem?: "unknown-service" | "unknown-action";
}

export interface LintedStatement {
  readonly document: StatementDocument;
  readonly index: number;
  readonly where: string;
  readonly actions: readonly LintedAction[];
  /** The texts of `Resource` or `NotResource`; undefined where the statement has neither. */
  readonly resources: readonly string[] | undefined;
}

export interface LintContext {
  readonly kind: LintKind;
  readonly rules: KindRules;
  readonly reference: ServiceReference;
}

export function openContext(kind: LintKind, reference: ServiceReference): LintContext {
  return { kind, rules: kindRules[kind], reference };
}

export function textsOf(values: OneOrMany<string> | undefined): readonly string[] {
  return values === undefined ? [] : typeof values === "string" ? [values] : values;
}

export function openStatement(
  document: StatementDocument,
  index: number,
  reference: ServiceReference,
): LintedStatement {
  const resources = document.Resource ?? document.NotResource;
  return {
    document,
    index,
    where: `Statement[${index}]`,
    actions: textsOf(document.Action ?? document.NotAction).map((text) => resolveAction(text, reference)),
    resources: resources === undefined ? undefined : textsOf(resources),
  };
}

/** A finding at a place of a statement. */
export function findingAt(
  { where, document }: LintedStatement,
  finding: Omit<LintFinding, "where" | "sid"> & { readonly element?: string },
): LintFinding {
  const { element, ...rest } = finding;
  return {
    ...rest,
    where: element === undefined ? where : `${where}.${element}`,
    ...(document.Sid === undefined ? {} : { sid: document.Sid }),
  };
}

export function resolveAction(text: string, reference: ServiceReference): LintedAction {
  const hasWildcard = /[*?]/.test(text);
  const lower = text.toLowerCase();
  if (/^\*+(:\*+)?$/.test(lower)) return { text, hasWildcard, meant: "every" };
  const colon = lower.indexOf(":");
  const [prefix, name] = [lower.slice(0, Math.max(colon, 0)), lower.slice(colon + 1)];
  const services = /[*?]/.test(prefix)
    ? reference.services.filter((service) => doesCover(literalCodes(prefix), literalCodes(service)))
    : [prefix];
  const known = services.flatMap((service) => reference.find(service) ?? []);
  if (known.length === 0) return { text, hasWildcard, meant: [], problem: "unknown-service" };
  const pattern = literalCodes(name);
  const meant = known.flatMap(({ actions }) =>
    hasWildcard
      ? [...actions].filter(([each]) => doesCover(pattern, literalCodes(each))).map(([, facts]) => facts)
      : (actions.get(name) ?? []),
  );
  return meant.length === 0
    ? { text, hasWildcard, meant, problem: "unknown-action" }
    : { text, hasWildcard, meant };
}

/** What the statement's actions mean together; undefined where some of it isn't known, or too much to list. */
export function meantActions({ document, actions }: LintedStatement): readonly ActionFacts[] | undefined {
  if (document.Action === undefined) return undefined;
  const all: ActionFacts[] = [];
  for (const { meant, problem } of actions) {
    if (meant === "every" || problem !== undefined) return undefined;
    all.push(...meant);
  }
  return all.length === 0 ? undefined : all;
}

/** A list for a message, shortened. */
export function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
