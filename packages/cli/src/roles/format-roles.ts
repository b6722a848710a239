import type { Grant } from "@garrison/roles/grant";
import type { RoleDefinition } from "@garrison/roles/role-definition";

/** The roles, then the operations with the roles that take part in each. */
export function formatRoleList(roles: readonly RoleDefinition[]): string {
  const rows = roles.map((role) => [role.id, role.defaultName, role.livesIn, role.title]);
  const done = new Set(roles.flatMap(({ serves }) => serves));
  const operations = [...done, ...new Set(roles.flatMap(({ willServe }) => willServe))].map((id) => [
    done.has(id) ? id : `${id} (planned)`,
    roles
      .filter(({ serves, willServe }) => serves.includes(id) || willServe.includes(id))
      .map((role) => role.id)
      .join(", "),
  ]);
  return `${formatTable(["role", "name", "lives in", "does"], rows)}\n\n${formatTable(["operation", "roles"], operations)}\n`;
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
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
