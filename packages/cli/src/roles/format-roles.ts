import type { Grant } from "@garrison/roles/grant";
import type { RoleDefinition } from "@garrison/roles/role-definition";

export function formatRoleList(roles: readonly RoleDefinition[]): string {
  const rows = roles.map((role) => [
    role.id,
    role.defaultName,
    role.livesIn,
    [...role.serves, ...role.willServe.map((id) => `(${id})`)].join(", "),
    role.title,
  ]);
  const table = [["role", "name", "lives in", "operations", "does"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n\nIn brackets: planned, no code of this release does it.\n`;
}

export function formatRole(role: RoleDefinition): string {
  const head = [
    `${role.id} (${role.defaultName}): ${role.title}`,
    `lives in: ${role.livesIn}; trusted: ${role.trusts.join(", ")}${role.hasInstanceProfile ? "; in an instance profile" : ""}`,
  ];
  const operations = role.operations.map((operation) =>
    [
      `\n${operation.id}: ${operation.title}${operation.planned === true ? " (planned)" : ""}`,
      ...operation.grants.map(formatGrant),
    ].join("\n"),
  );
  return `${[...head, ...operations].join("\n")}\n`;
}

function formatGrant(grant: Grant): string {
  const when = [
    ...(grant.placement === "always" ? [] : [grant.placement.replaceAll("-", " ")]),
    ...(grant.neededWhen === undefined ? [] : [`only when ${grant.neededWhen}`]),
  ];
  const lines = [
    `  ${grant.actions.join(", ")}${when.length === 0 ? "" : ` (${when.join("; ")})`}`,
    `    on ${grant.resources.join(", ")}`,
    ...(grant.conditions === undefined ? [] : [`    if ${JSON.stringify(grant.conditions)}`]),
    `    to ${grant.step}, by the ${grant.caller}: ${grant.why}`,
  ];
  return lines.join("\n");
}
