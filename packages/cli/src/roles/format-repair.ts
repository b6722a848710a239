import type { RoleChange } from "@garrison/roles/role-change";
import { statementChanges } from "@garrison/roles/repair/owner-patches";
import type { OwnerPatch, RepairPlan, StatementChange } from "@garrison/roles/repair/repair-plan";

/** The plan for a person: what would be written, statement by statement, then what others have to do. */
export function formatRepairPlan({ changes, patches, roleArn, unmended }: RepairPlan): string {
  const parts = [
    changes.length === 0
      ? `${roleArn}: nothing of its own to repair\n`
      : `${roleArn}\n${formatChanges(changes)}`,
    ...patches.map(formatPatch),
    ...unmended.map((sentence) => `nothing mends this: ${sentence}\n`),
  ];
  return parts.join("\n");
}

/** Each change with the statements that differ, `-` before and `+` after. */
export function formatChanges(changes: readonly RoleChange[]): string {
  const lines = changes.flatMap(({ after, before, name, what }) => [
    `  ${what}: ${name}`,
    ...formatStatements(statementChanges(before, after)),
  ]);
  return `${lines.join("\n")}\n`;
}

function formatStatements(changes: readonly StatementChange[]): readonly string[] {
  return changes.flatMap(({ after, before }) => [
    ...(before === undefined ? [] : [`    - ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`    + ${JSON.stringify(after)}`]),
  ]);
}

function formatPatch(patch: OwnerPatch): string {
  const { after, attachedTo, before, layer, owner, policy, sentence, statements } = patch;
  const what =
    after === undefined ? "detach" : before === undefined ? "attach a new policy" : "change the document to";
  return [
    `not Garrison's to change: ${layer} ${policy}${attachedTo === undefined ? "" : `, attached to ${attachedTo}`}`,
    `  why: ${sentence}`,
    `  for: ${owner}`,
    ...formatStatements(statements),
    `  ${what}${after === undefined ? "" : `: ${JSON.stringify(after)}`}`,
    "",
  ].join("\n");
}
