import type { LintFinding } from "./lint-finding.ts";
import type { LintContext } from "./linted-statement.ts";

/** What AWS counts of a document: the text without white space around, or as it is sent. */
export function countedChars(
  json: unknown,
  text: string | undefined,
  { rules }: Pick<LintContext, "rules">,
): number {
  const compact = (JSON.stringify(json) ?? "").length;
  return rules.countsSpace && text !== undefined ? text.trim().length : compact;
}

/** Whether the document is larger than its kind may be. */
export function lintSize(
  json: unknown,
  text: string | undefined,
  context: LintContext,
): readonly LintFinding[] {
  const { maxChars, words, limited = words } = context.rules;
  if (maxChars === undefined) return [];
  const chars = countedChars(json, text, context);
  if (chars <= maxChars) return [];
  const compact = (JSON.stringify(json) ?? "").length;
  const isOnlySpace = compact <= maxChars;
  const size = `${chars.toLocaleString("en")} characters; ${limited} may have ${maxChars.toLocaleString("en")}`;
  const hint = isOnlySpace ? `: without its white space it is ${compact.toLocaleString("en")}` : "";
  return [
    {
      code: "oversize",
      severity: isOnlySpace ? "warning" : "error",
      where: "",
      message: `the document has ${size}${hint}`,
    },
  ];
}
