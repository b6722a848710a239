import type { Grant } from "./grant.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import { describeProof, sufficiencyTable } from "./proof/describe-proof.ts";
import type { ProofRecord } from "./proof/proof-record.ts";
import { roleCatalogue } from "./role-catalogue.ts";
import type { RoleDefinition, TrustedParty } from "./role-definition.ts";
import { builtOperations, isPlannedRole } from "./role-operations.ts";

/** docs/permissions.md: the whole catalogue for a security reviewer, what is used before what is only planned. */
export function permissionsPage(proof: ProofRecord): string {
  const printed: Printed = new Map();
  const page = { printed, proof };
  const used = roleCatalogue.filter((role) => !isPlannedRole(role));
  const parts = [
    intro,
    roleTable(roleCatalogue),
    howProven,
    sufficiencyTable(proof),
    "## Rights that this release uses",
    ...used.flatMap((role) => roleSection(role, builtOperations(role), page)),
    planned,
    ...roleCatalogue.flatMap((role) => {
      const open = isPlannedRole(role)
        ? role.operations
        : role.operations.filter((one) => one.planned === true);
      return open.length === 0 ? [] : roleSection(role, open, page);
    }),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** In which operation each grant was told already: a shared one is told once. */
type Printed = Map<Grant, OperationDefinition>;

interface Page {
  readonly printed: Printed;
  readonly proof: ProofRecord;
}

const intro = `# Permissions

Generated from the catalogue (\`packages/roles/src/catalogue/\`) and the last proof (\`packages/roles/src/proof/proven.json\`) by
\`node tools/write-permissions-page.ts\`; a test fails when it is stale.

Every right that Garrison asks for, role by role: on what, under which condition, who uses it in which step, why, and what happens without it. \`\${name}\` stands for
what \`garrison roles export\` fills in: account, Region, the installation's id, the ARNs of other roles. This is the scoped form; the compatible
form has the same actions on every resource. Rights marked _workers in production_ are written only with \`--with-workers-in-production\`.
Rights marked _only when_ are written too, but a role without them passes \`garrison roles check\`. What the next release changes is shown by
\`garrison roles diff\`; what the nearest product asks for the same work, by \`garrison roles compare prior-art\`.`;

const howProven = `## How a right is proven

The column _proven_ is made by \`npm run prove\` ([how, and what it does not show](decisions/roles-proof-by-execution.md)): each operation runs end to
end against the lab with roles made from these documents. What no run asked for can't be necessary; what one did was taken out of its
statement, and the same run made again. _Without it ..._ tells what that did; the denied call is always in the account's call log, and the
failure names the action unless the row says otherwise. _By contract_: AWS's agent may ask for it, the lab's does not. _Denied_: the request
of the run asked again with that one thing changed, and refused by the role's documents.`;

const planned = `## Planned

No code of this release uses these rights: they are written here so that they can be reviewed before they are needed. A role that has work today is
exported without them (\`--with-planned\` adds them), no run is checked for them, and none of them counts as proven.`;

const parties: Readonly<Record<TrustedParty, string>> = {
  appliance: "the appliance, with the external ID",
  ec2: "EC2",
  backup: "AWS Backup",
  rds: "RDS, for databases of its account",
};

function roleTable(roles: readonly RoleDefinition[]): string {
  const rows = roles.map(({ id, livesIn, serves, trusts, willServe }) => {
    const operations = [...serves.map((one) => `\`${one}\``), ...willServe.map((one) => `_${one}_`)];
    const cells = [`\`${id}\``, livesIn.replaceAll("-", " "), trusts.map((one) => parties[one]).join("; ")];
    return `| ${[...cells, operations.join(", ")].join(" | ")} |`;
  });
  const head = ["| role | lives in | trusted | takes part in (_planned_) |", "| --- | --- | --- | --- |"];
  return [...head, ...rows].join("\n");
}

function roleSection(
  role: RoleDefinition,
  operations: readonly OperationDefinition[],
  page: Page,
): readonly string[] {
  const trusts = role.trusts.map((one) => parties[one]);
  return [
    `### \`${role.id}\`: ${role.title.charAt(0).toLowerCase()}${role.title.slice(1)}`,
    `Default name \`${role.defaultName}\`. Trusted: ${trusts.join("; ")}.${role.hasInstanceProfile ? " In an instance profile of the same name." : ""}`,
    ...operations.map((operation) => operationSection(operation, page)),
  ];
}

function operationSection(operation: OperationDefinition, { printed, proof }: Page): string {
  const told = Map.groupBy(operation.grants, (grant) => printed.get(grant));
  const untold = told.get(undefined) ?? [];
  for (const grant of untold) printed.set(grant, operation);
  const repeated = [...told].flatMap(([where, grants]) =>
    where === undefined ? [] : [repeatLine(operation, where, grants)],
  );
  const isPlanned = operation.planned === true;
  const table = [
    `| actions | resources and conditions | step, caller | why |${isPlanned ? "" : " proven |"}`,
    `| --- | --- | --- | --- |${isPlanned ? "" : " --- |"}`,
    ...untold.map((grant) => `${grantRow(grant)}${isPlanned ? "" : ` ${describeProof(proof, grant)} |`}`),
  ].join("\n");
  const head = `#### ${operation.title} (\`${operation.id}\`)`;
  return [head, ...repeated, ...(untold.length === 0 ? [] : [table])].join("\n\n");
}

function repeatLine(
  operation: OperationDefinition,
  where: OperationDefinition,
  grants: readonly Grant[],
): string {
  if (where === operation) return "The same rights as above.";
  const actions = [...new Set(grants.flatMap((grant) => grant.actions))];
  return `As told under _${where.title}_: ${actions.map((action) => `\`${action}\``).join(", ")}.`;
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
