import { placeholders, type RoleDocuments } from "../export-role.ts";

/** What a person fills in becomes a parameter of the stack. */
const parameters = {
  [placeholders.backupAccount]: {
    name: "BackupAccountId",
    Type: "String",
    AllowedPattern: "\\d{12}",
    Description: "The account that Garrison's appliance runs in",
  },
  [placeholders.externalId]: {
    name: "ExternalId",
    Type: "String",
    MinLength: 2,
    Description: "The external ID that the appliance shows for this account",
  },
  [placeholders.bucket]: { name: "BucketName", Type: "String", Description: "The repository's bucket" },
} as const;

/** One template for these roles, as JSON; also usable as a StackSet over the accounts of an organisation. */
export function formatCloudFormation(roles: readonly RoleDocuments[]): string {
  const text = JSON.stringify(roles);
  const used = Object.entries(parameters).filter(([placeholder]) => text.includes(placeholder));
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "IAM roles for Garrison",
    ...(used.length === 0
      ? {}
      : { Parameters: Object.fromEntries(used.map(([, { name, ...parameter }]) => [name, parameter])) }),
    Resources: Object.fromEntries(roles.flatMap(roleResources)),
    Outputs: Object.fromEntries(
      roles.map((role) => [`${logicalId(role)}Arn`, { Value: { "Fn::GetAtt": [logicalId(role), "Arn"] } }]),
    ),
  };
  return `${JSON.stringify(template, null, 2)}\n`;
}

function roleResources(role: RoleDocuments): readonly (readonly [string, object])[] {
  const id = logicalId(role);
  const policies = role.inlinePolicies.map(({ document, name }) => ({
    PolicyName: name,
    PolicyDocument: substitute(document),
  }));
  const managed = role.managedPolicies.map(({ document, name }, index) => {
    const properties = {
      ManagedPolicyName: name,
      PolicyDocument: substitute(document),
      Roles: [{ Ref: id }],
    };
    return [`${id}Policy${index + 1}`, { Type: "AWS::IAM::ManagedPolicy", Properties: properties }] as const;
  });
  const properties = {
    RoleName: role.roleName,
    Description: role.title,
    AssumeRolePolicyDocument: substitute(role.trust),
    ...(policies.length === 0 ? {} : { Policies: policies }),
  };
  const profile = role.instanceProfile;
  const profileProperties = { InstanceProfileName: profile?.name, Roles: [{ Ref: id }] };
  return [
    [id, { Type: "AWS::IAM::Role", Properties: properties }],
    ...managed,
    ...(profile === undefined
      ? []
      : [[`${id}Profile`, { Type: "AWS::IAM::InstanceProfile", Properties: profileProperties }] as const]),
  ];
}

function logicalId({ roleId }: RoleDocuments): string {
  return roleId.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()) + "Role";
}

/** Placeholders become references; nothing else in our documents looks like one (`Fn::Sub` reads `${...}`). */
function substitute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(substitute);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substitute(inner)]));
  }
  if (typeof value !== "string") return value;
  const filled = Object.entries(parameters).reduce(
    (text, [placeholder, { name }]) => text.replaceAll(placeholder, `\${${name}}`),
    value,
  );
  return filled === value ? value : { "Fn::Sub": filled };
}
