import { statementId, type Grant } from "./grant.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import { permissionsOverview } from "./permissions-overview.ts";
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
    roleTable(used, ({ serves }) => serves),
    permissionsOverview(used, proof),
    howToRead,
    "## Rights that this release uses",
    ...used.flatMap((role) => roleSection(role, builtOperations(role), page)),
    howProven,
    sufficiencyTable(proof),
    planned,
    roleTable(
      roleCatalogue.filter(({ willServe }) => willServe.length > 0),
      ({ willServe }) => willServe,
    ),
    ...roleCatalogue.flatMap((role) => {
      const open = isPlannedRole(role)
        ? role.operations
        : role.operations.filter((one) => one.planned === true);
      return open.length === 0 ? [] : roleSection(role, open, { printed });
    }),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** In which operation each grant was told already: a shared one is told once. */
type Printed = Map<Grant, OperationDefinition>;

interface Page {
  readonly printed: Printed;
  /** Absent: what is told is only planned. */
  readonly proof?: ProofRecord;
}

const intro = `# Permissions

Every right that Garrison asks for, role by role: on what, under which condition, who uses it in which step, why, and what happened when it
was taken away. For the security reviewer who has to approve the roles; generated from the catalogue (\`packages/roles/src/catalogue/\`) and
the last proof (\`packages/roles/src/proof/proven.json\`) by \`node tools/write-permissions-page.ts\`, and a test fails when it is stale.

Garrison's own identity can do one thing: assume the roles below, each of which lives in the account whose data it is about and names
the appliance and an external ID in its trust policy. A worker's instance carries a role that can only talk; what it takes to touch data is lent to it
for one task, as a session of the launching or the repository role that is narrowed to that task's snapshots and objects.

- What your account would get, with everything filled in: \`garrison roles export ROLE\`.
- What the next release changes: \`garrison roles diff\`. What the nearest product asks for the same work: \`garrison roles compare prior-art\`.
- Whether a role of yours holds it, and what it holds beyond it: \`garrison roles check ARN --least\`.`;

const howToRead = `## How to read the tables

- **statement**: the Sid in the exported documents, then its actions. This is the scoped form, which is the default; the compatible form has the same actions
  on every resource.
- **resources and conditions**: \`\${name}\` stands for what \`garrison roles export\` fills in: account, Region, the installation's id, ARNs of other
  roles. All conditions of a statement have to hold.
- **step, caller**: whose code makes the call. _worker_: with credentials lent for one task, or the worker role's own. _workers in production_: written only with
  \`--with-workers-in-production\`. _only when_: a role without it passes \`garrison roles check\`, and the report says what it is needed for.
- **without it**: what happened when the action was taken out of this statement and the run in brackets was made again ([the runs](#how-a-right-is-proven)).
  †: the failure does not name the action; the account's call log (CloudTrail) does. _by contract_: the document of AWS's that asks for it, though
  no call in the lab does. _refused_: what the role's documents answered to the same request with that one thing changed. _taken out of ... too_: that statement
  gives the role the same request, so the action was taken out of both.`;

const howProven = `## How a right is proven

\`npm run prove\` makes the roles from these documents in a lab and runs each operation end to end, in both forms
([how, and what it does not show](decisions/roles-proof-by-execution.md)). \`enough\`: the run ended as it should, did everything it says it does, and
the accounts hold nothing afterwards that it should have removed. Then each action that was used is taken out of its statement, alone, and the run made again.
What no run asks for can't be necessary, and has no place in a role unless a document of AWS's asks for it.`;

const planned = `## Planned

No code of this release uses these rights: they are written here so that they can be reviewed before they are needed. A role that has work today is
exported without them (\`--with-planned\` adds them), no run is checked for them, and none of them counts as proven.`;

const parties: Readonly<Record<TrustedParty, string>> = {
  appliance: "the appliance, with the external ID",
  ec2: "EC2",
  backup: "AWS Backup",
  rds: "RDS, for databases of its account",
};

function roleTable(
  roles: readonly RoleDefinition[],
  operationsOf: (role: RoleDefinition) => readonly string[],
): string {
  const rows = roles.map((role) => {
    const { id, livesIn, trusts } = role;
    const operations = operationsOf(role).map((one) => `\`${one}\``);
    const cells = [`\`${id}\``, livesIn.replaceAll("-", " "), trusts.map((one) => parties[one]).join("; ")];
    return `| ${[...cells, operations.join(", ")].join(" | ")} |`;
  });
  const head = ["| role | lives in | trusted | takes part in |", "| --- | --- | --- | --- |"];
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
  const isPlanned = proof === undefined;
  const table = [
    `| statement | resources and conditions | step, caller | why |${isPlanned ? "" : " without it |"}`,
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
    [`**${statementId(grant.id)}**`, ...grant.actions.map((action) => `\`${action}\``)].join("<br>"),
    [...grant.resources.map((resource) => `\`${resource}\``), ...conditions].join("<br>"),
    [grant.step, `_${grant.caller.replaceAll("-", " ")}_`, ...marks].join("<br>"),
    grant.why,
  ];
  return `| ${cells.join(" | ")} |`;
}
