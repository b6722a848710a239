import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { ConditionBlock, ConditionValue, OneOrMany } from "@garrison/iam/policy-document";
import type { LinkFinding } from "./chain-report.ts";

/**
 * One denying statement may stand in the way of several roles, and each finding would replace it by one that excepts its
 * own role only: whoever applies both would lose the first. So all of them get the statement that excepts all.
 */
export function joinPatches(findings: readonly LinkFinding[]): readonly LinkFinding[] {
  const joined = new Map<string, PolicyPatch>();
  for (const patch of findings.flatMap(({ patches }) => patches ?? [])) {
    if (!isException(patch)) continue;
    const before = joined.get(placeOf(patch));
    joined.set(placeOf(patch), before === undefined ? patch : joinExceptions(before, patch));
  }
  return findings.map((finding) => {
    if (finding.patches === undefined) return finding;
    const patches = finding.patches.map((patch) => joined.get(placeOf(patch)) ?? patch);
    return { ...finding, patches };
  });
}

function isException({ change, statement }: PolicyPatch): boolean {
  return change === "replace" && statement.Effect === "Deny";
}

function placeOf({ accountId, index, layer, orgIdentifier, policy }: PolicyPatch): string {
  return JSON.stringify([layer, policy, orgIdentifier, accountId, index]);
}

function joinExceptions(first: PolicyPatch, second: PolicyPatch): PolicyPatch {
  const Condition = joinBlocks(first.statement.Condition ?? {}, second.statement.Condition ?? {});
  return { ...first, statement: { ...first.statement, Condition } };
}

/** Who is excepted is told by `ArnNotLike` and `ArnNotEquals`, which hold only if none of the values fits. */
function joinBlocks(first: ConditionBlock, second: ConditionBlock): ConditionBlock {
  const joined: Record<string, ConditionBlock[string]> = { ...first };
  for (const [operator, keys] of Object.entries(second)) {
    if (!operator.startsWith("ArnNot")) continue;
    const before = joined[operator] ?? {};
    const names = Object.entries(keys).map(([key, values]) => [key, joinValues(before[key], values)]);
    joined[operator] = { ...before, ...(Object.fromEntries(names) as ConditionBlock[string]) };
  }
  return joined;
}

function joinValues(
  first: OneOrMany<ConditionValue> | undefined,
  second: OneOrMany<ConditionValue>,
): OneOrMany<ConditionValue> {
  const all = [...new Set([first ?? [], second].flat())] as readonly ConditionValue[];
  const [only, ...others] = all;
  return only !== undefined && others.length === 0 ? only : all;
}
