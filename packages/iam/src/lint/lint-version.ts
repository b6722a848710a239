import type { PolicyDocument, StatementDocument } from "../policy-document.ts";
import type { LintFinding } from "./lint-finding.ts";
import { textsOf } from "./linted-statement.ts";

/** Without the version of 2012 a policy variable is plain text, and the statement is about nothing that exists. */
export function lintVersion(
  version: PolicyDocument["Version"],
  statements: readonly StatementDocument[],
): readonly LintFinding[] {
  if (version === "2012-10-17") return [];
  const variable = statements.flatMap(textsWithVariables).find((text) => /\$\{[^}]+\}/.test(text));
  if (variable === undefined) return [];
  const has = version === undefined ? "the document has no Version" : `the Version is ${version}`;
  const message = `${has}, so that ${JSON.stringify(variable)} is taken as it stands`;
  return [
    { code: "version-missing", severity: "error", where: "", message, suggestion: '"Version": "2012-10-17"' },
  ];
}

function textsWithVariables({ Resource, NotResource, Condition = {} }: StatementDocument): readonly string[] {
  const values = Object.values(Condition).flatMap((keys) => Object.values(keys).flat());
  return [...textsOf(Resource), ...textsOf(NotResource), ...values.map(String)];
}
