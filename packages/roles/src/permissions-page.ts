import type { Grant } from "./grant.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import { roleCatalogue } from "./role-catalogue.ts";
import type { RoleDefinition } from "./role-definition.ts";

/** docs/permissions.md: the whole catalogue for a security reviewer, in the order of the roles. */
export function permissionsPage(): string {
  return `${[intro, ...roleCatalogue.map(roleSection)].join("\n\n")}\n`;
}

const intro = `# Permissions

Generated from the catalogue (\`packages/roles/src/catalogue/\`) by \`node tools/write-permissions-page.ts\`; a test fails when it is stale.

Every right that Garrison asks for, role by role: on what, under which condition, who uses it in which step, and why. \`\${name}\` stands for
what \`garrison roles export\` fills in: account, Region, the installation's id, the ARNs of other roles. This is the scoped form; the compatible
form has the same actions on every resource. Rights marked _workers in production_ are written only with \`--with-workers-in-production\`.
Rights marked _only when_ are written too, but a role without them passes \`garrison roles check\`.`;

function roleSection(role: RoleDefinition): string {
  const trusts = role.trusts.map((who) =>
    who === "appliance" ? "the appliance, with the external ID" : "EC2",
  );
  const head = [
    `## \`${role.id}\`: ${role.title.charAt(0).toLowerCase()}${role.title.slice(1)}`,
    `Default name \`${role.defaultName}\`. Trusted: ${trusts.join("; ")}.${role.hasInstanceProfile ? " In an instance profile of the same name." : ""}`,
  ];
  return [...head, ...role.operations.map(operationTable)].join("\n\n");
}

function operationTable(operation: OperationDefinition): string {
  const lines = [
    `### ${operation.title} (\`${operation.id}\`)`,
    "",
    "| actions | resources and conditions | step, caller | why |",
    "| --- | --- | --- | --- |",
    ...operation.grants.map(grantRow),
  ];
  return lines.join("\n");
}

function grantRow(grant: Grant): string {
  const conditions = Object.entries(grant.conditions ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(
      ([key, value]) => `_if_ ${operator} \`${key}\` = \`${[value].flat().join("`, `")}\``,
    ),
  );
  const marks = [
    ...(grant.placement === "always" ? [] : [`_${grant.placement.replaceAll("-", " ")}_`]),
    ...(grant.neededWhen === undefined ? [] : [`_only when ${grant.neededWhen}_`]),
  ];
  const cells = [
    grant.actions.map((action) => `\`${action}\``).join("<br>"),
    [...grant.resources.map((resource) => `\`${resource}\``), ...conditions].join("<br>"),
    [grant.step, `_${grant.caller.replaceAll("-", " ")}_`, ...marks].join("<br>"),
    grant.why,
  ];
  return `| ${cells.join(" | ")} |`;
}
