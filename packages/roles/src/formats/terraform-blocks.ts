import { placeholders, type RoleDocuments } from "../export-role.ts";
import { templateParameters, usedParameters } from "./template-parameters.ts";

/** A value of an argument: text that may hold placeholders, an IAM policy, or the address of another block's attribute. */
export type TerraformValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "document"; readonly document: object }
  | { readonly kind: "address"; readonly address: string };

export interface TerraformBlock {
  readonly type: "variable" | "data" | "resource" | "output";
  readonly labels: readonly string[];
  readonly body: Readonly<Record<string, TerraformValue>>;
}

const text = (value: string): TerraformValue => ({ kind: "text", text: value });
const address = (value: string): TerraformValue => ({ kind: "address", address: value });
const policy = (value: object): TerraformValue => ({ kind: "document", document: value });

/** What has to stand in a Terraform configuration for these roles, whichever syntax it is written in. */
export function terraformBlocks(roles: readonly RoleDocuments[]): readonly TerraformBlock[] {
  const usesAccount = JSON.stringify(roles).includes(placeholders.ownAccount);
  return [
    ...usedParameters(roles).map(variableBlock),
    ...(usesAccount ? [{ type: "data", labels: ["aws_caller_identity", "current"], body: {} } as const] : []),
    ...roles.flatMap(roleBlocks),
  ];
}

function variableBlock(parameter: (typeof templateParameters)[number]): TerraformBlock {
  const body = {
    type: address("string"),
    description: text(parameter.description),
    ...(parameter.default === undefined ? {} : { default: text(parameter.default) }),
  };
  return { type: "variable", labels: [parameter.variable], body };
}

function roleBlocks(role: RoleDocuments): readonly TerraformBlock[] {
  const id = identifier(role.roleId);
  const name = address(`aws_iam_role.${id}.name`);
  const resource = (type: string, label: string, body: TerraformBlock["body"]): TerraformBlock => ({
    type: "resource",
    labels: [type, label],
    body,
  });
  return [
    resource("aws_iam_role", id, {
      name: text(role.roleName),
      description: text(role.title),
      assume_role_policy: policy(role.trust),
    }),
    ...role.inlinePolicies.map((one) =>
      resource("aws_iam_role_policy", `${id}_${identifier(one.name)}`, {
        name: text(one.name),
        role: name,
        policy: policy(one.document),
      }),
    ),
    ...role.managedPolicies.flatMap((one, index) => {
      const label = `${id}_${index + 1}`;
      return [
        resource("aws_iam_policy", label, { name: text(one.name), policy: policy(one.document) }),
        resource("aws_iam_role_policy_attachment", label, {
          role: name,
          policy_arn: address(`aws_iam_policy.${label}.arn`),
        }),
      ];
    }),
    ...(role.instanceProfile === undefined
      ? []
      : [resource("aws_iam_instance_profile", id, { name: text(role.instanceProfile.name), role: name })]),
    { type: "output", labels: [`${id}_role_arn`], body: { value: address(`aws_iam_role.${id}.arn`) } },
  ];
}

function identifier(name: string): string {
  return name.replaceAll(/[^\w]/g, "_");
}

const references: readonly (readonly [string, string])[] = [
  [placeholders.ownAccount, "data.aws_caller_identity.current.account_id"],
  ...templateParameters.map(({ placeholder, variable }) => [placeholder, `var.${variable}`] as const),
];

/** A text as a template of Terraform: placeholders are interpolated, what looks like a template is not. */
export function terraformTemplate(value: string): string {
  return references.reduce(
    (before, [placeholder, name]) => before.replaceAll(placeholder, `\${${name}}`),
    value.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign),
  );
}
