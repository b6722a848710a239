import type { RoleDocuments } from "../export-role.ts";

/** A shell script for the `aws` command that makes roles which don't exist yet; documents are quoted, never expanded. */
export function formatCommands(roles: readonly RoleDocuments[]): string {
  const head = [
    "#!/bin/sh",
    "# Makes Garrison's IAM roles in the account of the current AWS credentials.",
    "set -eu",
    "",
  ];
  return `${[...head, ...roles.flatMap(roleCommands)].join("\n")}\n`;
}

function roleCommands(role: RoleDocuments): readonly string[] {
  const name = `--role-name ${role.roleName}`;
  const lines = [
    ...role.warnings.map((warning) => `# ${warning}`),
    `aws iam create-role ${name} --description ${quote(role.title)} --assume-role-policy-document ${json(role.trust)}`,
  ];
  for (const policy of role.inlinePolicies) {
    lines.push(
      `aws iam put-role-policy ${name} --policy-name ${policy.name} --policy-document ${json(policy.document)}`,
    );
  }
  for (const policy of role.managedPolicies) {
    const create = `aws iam create-policy --policy-name ${policy.name} --policy-document ${json(policy.document)}`;
    lines.push(
      `arn=$(${create} --query Policy.Arn --output text)`,
      `aws iam attach-role-policy ${name} --policy-arn "$arn"`,
    );
  }
  const profile = role.instanceProfile?.name;
  if (profile !== undefined) {
    lines.push(
      `aws iam create-instance-profile --instance-profile-name ${profile}`,
      `aws iam add-role-to-instance-profile --instance-profile-name ${profile} ${name}`,
    );
  }
  return [...lines, ""];
}

function json(policy: object): string {
  return quote(JSON.stringify(policy));
}

/** Single quotes keep everything but a single quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
