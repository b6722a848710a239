import { placeholders, type RoleDocuments } from "../export-role.ts";
import {
  mapTexts,
  type TemplateParameter,
  templateParameters,
  usedParameters,
} from "./template-parameters.ts";

export interface StackSetOptions {
  /** Values that the parameters start with, by placeholder; an account may have others. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** One template for roles of one account, as JSON. With `stackSet`: for every account of an organisation. */
export function formatCloudFormation(roles: readonly RoleDocuments[], stackSet?: StackSetOptions): string {
  const parameters = usedParameters(roles).map((one) => [one.name, parameterOf(one, stackSet)] as const);
  const entries = stackSet === undefined ? parameters : [...parameters, boundaryParameter];
  const isNamed = entries.length > 0;
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: descriptionOf(stackSet),
    ...(isNamed ? { Parameters: Object.fromEntries(entries) } : {}),
    ...(stackSet === undefined ? {} : { Conditions: { HasBoundary: hasBoundary } }),
    Resources: Object.fromEntries(roles.flatMap((role) => roleResources(role, stackSet !== undefined))),
    Outputs: Object.fromEntries(
      roles.map((role) => [`${logicalId(role)}Arn`, { Value: { "Fn::GetAtt": [logicalId(role), "Arn"] } }]),
    ),
  };
  return `${JSON.stringify(template, null, 2)}\n`;
}

function descriptionOf(stackSet: StackSetOptions | undefined): string {
  if (stackSet === undefined) return "IAM roles for Garrison";
  return "IAM roles for Garrison in the accounts of an organisation. Deploy to one Region only: IAM is global.";
}

function parameterOf(parameter: TemplateParameter, stackSet: StackSetOptions | undefined): object {
  const given = stackSet?.defaults[parameter.placeholder] ?? parameter.default;
  return {
    Type: "String",
    AllowedPattern: `^(?:${parameter.pattern})$`,
    Description: parameter.description,
    ...(given === undefined ? {} : { Default: given }),
  };
}

const boundaryParameter = [
  "PermissionsBoundaryArn",
  {
    Type: "String",
    AllowedPattern: "^(?:|arn:[\\w-]+:iam::(?:\\d{12}|aws):policy/[\\w+=,.@/-]+)$",
    Description: "A permissions boundary that the organisation demands of new roles; empty for none",
    Default: "",
  },
] as const;

const hasBoundary = { "Fn::Not": [{ "Fn::Equals": [{ Ref: "PermissionsBoundaryArn" }, ""] }] };

type Resource = readonly [string, object];

function roleResources(role: RoleDocuments, isStackSet: boolean): readonly Resource[] {
  const id = logicalId(role);
  const policies = role.inlinePolicies.map(({ document, name }) => ({
    PolicyName: name,
    PolicyDocument: substitute(document),
  }));
  const boundary = { "Fn::If": ["HasBoundary", { Ref: "PermissionsBoundaryArn" }, { Ref: "AWS::NoValue" }] };
  const properties = {
    RoleName: role.roleName,
    Description: role.title,
    AssumeRolePolicyDocument: substitute(role.trust),
    ...(isStackSet ? { PermissionsBoundary: boundary } : {}),
    ...(policies.length === 0 ? {} : { Policies: policies }),
  };
  return [
    [id, { Type: "AWS::IAM::Role", Properties: properties }],
    ...managedResources(role),
    ...profileResources(role),
  ];
}

function managedResources(role: RoleDocuments): readonly Resource[] {
  return role.managedPolicies.map(({ document, name }, index) => {
    const properties = {
      ManagedPolicyName: name,
      PolicyDocument: substitute(document),
      Roles: [{ Ref: logicalId(role) }],
    };
    return [
      `${logicalId(role)}Policy${index + 1}`,
      { Type: "AWS::IAM::ManagedPolicy", Properties: properties },
    ];
  });
}

function profileResources(role: RoleDocuments): readonly Resource[] {
  if (role.instanceProfile === undefined) return [];
  const properties = { InstanceProfileName: role.instanceProfile.name, Roles: [{ Ref: logicalId(role) }] };
  return [[`${logicalId(role)}Profile`, { Type: "AWS::IAM::InstanceProfile", Properties: properties }]];
}

function logicalId({ roleId }: RoleDocuments): string {
  return roleId.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()) + "Role";
}

const references: readonly (readonly [string, string])[] = [
  [placeholders.ownAccount, "AWS::AccountId"],
  ...templateParameters.map(({ name, placeholder }) => [placeholder, name] as const),
];

/** Placeholders become references; `Fn::Sub` reads `${...}`, so what looks like one is written `${!...}`. */
function substitute(document: object): unknown {
  return mapTexts(document, (text) => {
    const filled = references.reduce(
      (before, [placeholder, name]) => before.replaceAll(placeholder, `\${${name}}`),
      text.replaceAll("${", "${!"),
    );
    const isOpen = references.some(([placeholder]) => text.includes(placeholder));
    return isOpen ? { "Fn::Sub": filled } : text;
  });
}
