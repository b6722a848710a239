import type { ConditionValue, OneOrMany, PrincipalElement, StatementDocument } from "../policy-document.ts";
import type { PatternCodes } from "../wildcard-pattern.ts";
import { doesCover, doOverlap, literalCodes } from "./compare-patterns.ts";
import { textsOf } from "./linted-statement.ts";

/** A list of patterns, or everything but it. */
interface Element {
  readonly isNot: boolean;
  readonly patterns: readonly PatternCodes[];
}

function readElement(
  listed: OneOrMany<string> | undefined,
  unlisted: OneOrMany<string> | undefined,
): Element | undefined {
  if (listed === undefined && unlisted === undefined) return undefined;
  return { isNot: listed === undefined, patterns: textsOf(listed ?? unlisted).map(literalCodes) };
}

function actionsOf({ Action, NotAction }: StatementDocument): Element {
  const lower = (values: OneOrMany<string> | undefined) =>
    values === undefined ? undefined : textsOf(values).map((text) => text.toLowerCase());
  return readElement(lower(Action), lower(NotAction)) ?? { isNot: false, patterns: [] };
}

/** Whether everything that `inner` is about, `outer` is about too. It may miss some, never claims too much. */
export function coversStatement(outer: StatementDocument, inner: StatementDocument): boolean {
  return coversElement(actionsOf(outer), actionsOf(inner)) && coversRest(outer, inner);
}

/** The same about one action of `inner`. */
export function coversAction(outer: StatementDocument, inner: StatementDocument, action: string): boolean {
  return coversStatement(outer, { ...inner, Action: action, NotAction: undefined } as StatementDocument);
}

function coversRest(outer: StatementDocument, inner: StatementDocument): boolean {
  return (
    coversElement(
      readElement(outer.Resource, outer.NotResource),
      readElement(inner.Resource, inner.NotResource),
    ) &&
    coversPrincipal(outer, inner) &&
    coversConditions(outer, inner)
  );
}

function coversElement(outer: Element | undefined, inner: Element | undefined): boolean {
  if (outer === undefined || inner === undefined) return outer === inner;
  if (!inner.isNot && inner.patterns.length === 0) return false;
  const isListed = (pattern: PatternCodes, list: readonly PatternCodes[]) =>
    list.some((each) => doesCover(each, pattern));
  if (!outer.isNot && !inner.isNot) return inner.patterns.every((each) => isListed(each, outer.patterns));
  if (!outer.isNot) return outer.patterns.some((each) => doesCover(each, literalCodes("*")));
  if (inner.isNot) return outer.patterns.every((each) => isListed(each, inner.patterns));
  return !inner.patterns.some((each) => outer.patterns.some((excluded) => doOverlap(each, excluded)));
}

function coversPrincipal(outer: StatementDocument, inner: StatementDocument): boolean {
  if (outer.NotPrincipal !== undefined || inner.NotPrincipal !== undefined) {
    return JSON.stringify(outer.NotPrincipal) === JSON.stringify(inner.NotPrincipal);
  }
  const [wide, narrow] = [outer.Principal, inner.Principal];
  if (wide === undefined || narrow === undefined) return wide === narrow;
  if (namesEveryone(wide)) return true;
  if (wide === "*" || narrow === "*") return wide === narrow;
  return Object.entries(narrow).every(([kind, names]) => {
    const known = new Set(textsOf(wide[kind]));
    return textsOf(names).every((name) => known.has(name));
  });
}

function namesEveryone(principal: PrincipalElement): boolean {
  return typeof principal === "string" || textsOf(principal["AWS"]).includes("*");
}

/** Each condition of the wider one has to stand in the narrower one as it is. */
function coversConditions(outer: StatementDocument, inner: StatementDocument): boolean {
  const narrow = new Set(listConditions(inner));
  return listConditions(outer).every((condition) => narrow.has(condition));
}

function listConditions({ Condition = {} }: StatementDocument): readonly string[] {
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const texts = ([values].flat() as readonly ConditionValue[]).map(String).sort();
      return JSON.stringify([operator.toLowerCase(), key.toLowerCase(), texts]);
    }),
  );
}
