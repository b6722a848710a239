import { placeholders, type RoleDocuments } from "../export-role.ts";

const variables = {
  [placeholders.backupAccount]: {
    name: "backup_account_id",
    description: "The account that Garrison's appliance runs in",
  },
  [placeholders.externalId]: {
    name: "external_id",
    description: "The external ID that the appliance shows for this account",
  },
  [placeholders.bucket]: { name: "bucket_name", description: "The repository's bucket" },
} as const;

/** Terraform's JSON syntax: save it as `garrison-roles.tf.json`. */
export function formatTerraform(roles: readonly RoleDocuments[]): string {
  const text = JSON.stringify(roles);
  const used = Object.entries(variables).filter(([placeholder]) => text.includes(placeholder));
  const resource = {
    aws_iam_role: byName(roles.map((role) => [nameOf(role), roleBlock(role)])),
    aws_iam_role_policy: byName(roles.flatMap(inlineBlocks)),
    aws_iam_policy: byName(roles.flatMap(managedBlocks)),
    aws_iam_role_policy_attachment: byName(roles.flatMap(attachmentBlocks)),
    aws_iam_instance_profile: byName(roles.flatMap(profileBlocks)),
  };
  const present = Object.entries(resource).filter(([, blocks]) => Object.keys(blocks).length > 0);
  const file = {
    ...(used.length === 0
      ? {}
      : {
          variable: byName(used.map(([, { description, name }]) => [name, { type: "string", description }])),
        }),
    resource: Object.fromEntries(present),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

type Block = readonly [string, object];

function byName(blocks: readonly Block[]): Readonly<Record<string, object>> {
  return Object.fromEntries(blocks);
}

function roleBlock(role: RoleDocuments): object {
  return { name: role.roleName, description: role.title, assume_role_policy: document(role.trust) };
}

function inlineBlocks(role: RoleDocuments): readonly Block[] {
  return role.inlinePolicies.map((policy) => [
    `${nameOf(role)}_${policy.name.replaceAll("-", "_")}`,
    { name: policy.name, role: `\${aws_iam_role.${nameOf(role)}.id}`, policy: document(policy.document) },
  ]);
}

function managedBlocks(role: RoleDocuments): readonly Block[] {
  return role.managedPolicies.map((policy) => [
    policy.name.replaceAll("-", "_"),
    { name: policy.name, policy: document(policy.document) },
  ]);
}

function attachmentBlocks(role: RoleDocuments): readonly Block[] {
  return role.managedPolicies.map(({ name }) => {
    const id = name.replaceAll("-", "_");
    return [
      id,
      { role: `\${aws_iam_role.${nameOf(role)}.name}`, policy_arn: `\${aws_iam_policy.${id}.arn}` },
    ];
  });
}

function profileBlocks(role: RoleDocuments): readonly Block[] {
  if (role.instanceProfile === undefined) return [];
  return [[nameOf(role), { name: role.instanceProfile.name, role: `\${aws_iam_role.${nameOf(role)}.name}` }]];
}

function nameOf({ roleId }: RoleDocuments): string {
  return roleId.replaceAll("-", "_");
}

function document(policy: object): string {
  return Object.entries(variables).reduce(
    (text, [placeholder, { name }]) => text.replaceAll(placeholder, `\${var.${name}}`),
    JSON.stringify(policy),
  );
}
