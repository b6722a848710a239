import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  PutRolePolicyCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";

interface Template {
  readonly Parameters?: Readonly<Record<string, { AllowedPattern: string; Default?: string }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<
    Record<string, { Type: string; Properties: Readonly<Record<string, unknown>> }>
  >;
}

interface NamedDocument {
  readonly PolicyName: string;
  readonly PolicyDocument: object;
}

/** Does with a template what CloudFormation would, for the resources and functions that we write; refuses all others. */
export async function applyCloudFormation(
  iam: IAMClient,
  text: string,
  stack: { readonly account: string; readonly parameters: Readonly<Record<string, string>> },
): Promise<void> {
  const template = JSON.parse(text) as Template;
  const scope = { template, values: stackValues(template, stack) };
  for (const [id, { Properties, Type }] of Object.entries(template.Resources)) {
    const properties = resolve(Properties, scope) as Properties;
    const apply = appliers[Type];
    if (apply === undefined) throw new Error(`${id} is of a type that we don't write: ${Type}`);
    await apply(iam, properties);
  }
}

function stackValues(
  { Parameters = {} }: Template,
  {
    account,
    parameters,
  }: { readonly account: string; readonly parameters: Readonly<Record<string, string>> },
): Readonly<Record<string, string>> {
  const unknown = Object.keys(parameters).filter((name) => !(name in Parameters));
  if (unknown.length > 0) throw new Error(`the template has no parameter ${unknown.join()}`);
  const values = Object.entries(Parameters).map(([name, { AllowedPattern, Default }]) => {
    const value = parameters[name] ?? Default;
    if (value === undefined || !new RegExp(AllowedPattern).test(value)) {
      throw new Error(`the parameter ${name} doesn't match ${AllowedPattern}: ${value}`);
    }
    return [name, value] as const;
  });
  return { "AWS::AccountId": account, ...Object.fromEntries(values) };
}

interface Scope {
  readonly template: Template;
  readonly values: Readonly<Record<string, string>>;
}

const noValue = Symbol("AWS::NoValue");

function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value))
    return value.map((inner) => resolve(inner, scope)).filter((inner) => inner !== noValue);
  if (typeof value !== "object" || value === null) return value;
  const [only, ...others] = Object.entries(value);
  if (only !== undefined && others.length === 0 && /^(Ref$|Fn::)/.test(only[0]))
    return call(only[0], only[1], scope);
  const entries = Object.entries(value).map(([key, inner]) => [key, resolve(inner, scope)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== noValue));
}

function call(name: string, argument: unknown, scope: Scope): unknown {
  const list = argument as readonly unknown[];
  if (name === "Ref") return argument === "AWS::NoValue" ? noValue : refer(String(argument), scope);
  if (name === "Fn::Sub") {
    return String(argument).replaceAll(/\$\{(!?)([^}]*)\}/g, (_, literal: string, inner: string) =>
      literal === "!" ? `\${${inner}}` : refer(inner, scope),
    );
  }
  if (name === "Fn::If") {
    const isMet = resolve(scope.template.Conditions?.[String(list[0])], scope);
    return resolve(isMet === true ? list[1] : list[2], scope);
  }
  if (name === "Fn::Not") return resolve(list[0], scope) !== true;
  if (name === "Fn::Equals") return resolve(list[0], scope) === resolve(list[1], scope);
  throw new Error(`${name} is a function that we don't write`);
}

/** A parameter's value; or the name of a resource, which is what `Ref` answers for a role. */
function refer(name: string, { template, values }: Scope): string {
  const resource = template.Resources[name]?.Properties["RoleName"];
  const value = values[name] ?? resource;
  if (typeof value !== "string") throw new Error(`${name} is neither a parameter nor a role of the template`);
  return value;
}

interface Properties {
  readonly RoleName?: string;
  readonly Description?: string;
  readonly AssumeRolePolicyDocument?: object;
  readonly PermissionsBoundary?: string;
  readonly Policies?: readonly NamedDocument[];
  readonly ManagedPolicyName?: string;
  readonly PolicyDocument?: object;
  readonly InstanceProfileName?: string;
  readonly Roles?: readonly string[];
}

type Applier = (iam: IAMClient, properties: Properties) => Promise<void>;

const appliers: Readonly<Record<string, Applier>> = {
  "AWS::IAM::Role": async (iam, properties) => {
    const {
      AssumeRolePolicyDocument,
      Description,
      PermissionsBoundary,
      Policies = [],
      RoleName,
      ...others
    } = properties;
    refuse(others);
    const trust = JSON.stringify(AssumeRolePolicyDocument);
    const role = { RoleName, Description, AssumeRolePolicyDocument: trust, PermissionsBoundary };
    await iam.send(new CreateRoleCommand(role));
    for (const { PolicyDocument, PolicyName } of Policies) {
      const text = JSON.stringify(PolicyDocument);
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: text }));
    }
  },
  "AWS::IAM::ManagedPolicy": async (iam, { ManagedPolicyName, PolicyDocument, Roles = [], ...others }) => {
    refuse(others);
    const text = JSON.stringify(PolicyDocument);
    const made = await iam.send(
      new CreatePolicyCommand({ PolicyName: ManagedPolicyName, PolicyDocument: text }),
    );
    for (const RoleName of Roles) {
      await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: made.Policy?.Arn }));
    }
  },
  "AWS::IAM::InstanceProfile": async (iam, { InstanceProfileName, Roles = [], ...others }) => {
    refuse(others);
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }));
    for (const RoleName of Roles) {
      await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }));
    }
  },
};

function refuse(others: object): void {
  if (Object.keys(others).length > 0) throw new Error(`unknown properties: ${Object.keys(others).join()}`);
}
