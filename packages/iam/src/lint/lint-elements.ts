import type { LintFinding } from "./lint-finding.ts";
import { findingAt, type LintContext, type LintedStatement, textsOf } from "./linted-statement.ts";
import type { StatementDocument } from "../policy-document.ts";

type Rule = (statement: LintedStatement, context: LintContext) => readonly LintFinding[];

/** Elements that the policy's kind doesn't take, lists that name nothing, and allows that are wider than they look. */
export function lintElements(statement: LintedStatement, context: LintContext): readonly LintFinding[] {
  return [lintPrincipal, lintResource, lintControl, lintSidText, lintEmpty, lintWide].flatMap((rule) =>
    rule(statement, context),
  );
}

function ofKind(statement: LintedStatement, element: string, message: string): readonly LintFinding[] {
  return [findingAt(statement, { code: "element-of-kind", severity: "error", element, message })];
}

const lintPrincipal: Rule = (statement, { rules }) => {
  const { Principal, NotPrincipal } = statement.document;
  const has = Principal !== undefined || NotPrincipal !== undefined;
  if (rules.principal === "forbidden" && has) {
    const element = Principal === undefined ? "NotPrincipal" : "Principal";
    return ofKind(statement, element, `${rules.words} names no principal: it is about whoever it hangs on`);
  }
  if (rules.principal === "required" && !has) {
    return ofKind(statement, "Principal", `${rules.words} has to name a principal`);
  }
  return [];
};

const lintResource: Rule = (statement, { rules }) => {
  const has = statement.resources !== undefined;
  if (rules.resource === "forbidden" && has) {
    return ofKind(
      statement,
      "Resource",
      `${rules.words} names no resource: it is about the role it belongs to`,
    );
  }
  if (rules.resource === "required" && !has) {
    return ofKind(statement, "Resource", `${rules.words} has to name a resource`);
  }
  return [];
};

/** What Organizations takes in a resource control policy of one's own. */
const lintControl: Rule = (statement, { kind, rules }) => {
  if (kind !== "rcp" || isFullAccess(statement.document)) return [];
  const { Effect, Principal, NotPrincipal, NotAction } = statement.document;
  const wrong = [
    ...(Effect === "Deny" ? [] : ["Effect"]),
    ...(NotAction === undefined ? [] : ["NotAction"]),
    ...(NotPrincipal === undefined && Principal === "*" ? [] : ["Principal"]),
  ];
  const message = `${rules.words} only denies, to the principal "*", actions that it lists; narrow it by conditions`;
  return wrong.flatMap((element) => ofKind(statement, element, message));
};

/** `RCPFullAWSAccess`, which AWS attaches itself. */
function isFullAccess({ Effect, Principal, Action, Resource, Condition }: StatementDocument): boolean {
  return (
    Effect === "Allow" && Principal === "*" && Action === "*" && Resource === "*" && Condition === undefined
  );
}

const lintSidText: Rule = (statement, { rules, kind }) => {
  const { Sid } = statement.document;
  const isIam = rules.principal === "forbidden" || kind === "trust";
  if (Sid === undefined || !isIam || /^[0-9A-Za-z]*$/.test(Sid)) return [];
  return ofKind(statement, "Sid", `a Sid in ${rules.words} takes letters and digits only`);
};

const lintEmpty: Rule = (statement) => {
  const elements = ["Action", "NotAction", "Resource", "NotResource"] as const;
  return elements.flatMap((element) => {
    const value = statement.document[element];
    if (value === undefined || textsOf(value).length > 0) return [];
    const message = element.startsWith("Not")
      ? "the list is empty: it excepts nothing"
      : "the list is empty: it names nothing";
    return [findingAt(statement, { code: "empty-list", severity: "error", element, message })];
  });
};

/** Guardrails have to let pass all that they don't deny; elsewhere such an Allow gives away more than anybody listed. */
const lintWide: Rule = (statement, { kind }) => {
  const { document, resources, actions } = statement;
  if (document.Effect !== "Allow" || kind === "scp" || kind === "rcp") return [];
  const findings: LintFinding[] = [];
  const warn = (code: LintFinding["code"], element: string, message: string) =>
    findings.push(findingAt(statement, { code, severity: "warning", element, message }));
  if (document.NotPrincipal !== undefined) {
    warn(
      "allow-not-principal",
      "NotPrincipal",
      "allows everybody else, anonymous callers included; name who may",
    );
  }
  const isEverything = document.Condition === undefined && (resources ?? ["*"]).includes("*");
  if (
    document.NotAction !== undefined &&
    document.Resource !== undefined &&
    textsOf(document.Resource).includes("*")
  ) {
    warn(
      "allow-not-action",
      "NotAction",
      "allows all other actions of all services, also those that AWS adds; list what is needed",
    );
  } else if (
    isEverything &&
    kind !== "boundary" &&
    kind !== "endpoint" &&
    actions.some(({ meant }) => meant === "every")
  ) {
    if (document.Action !== undefined)
      warn("allow-everything", "Action", "allows every action on every resource");
  }
  return findings;
};
