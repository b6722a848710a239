import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  PutRolePolicyCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import { evaluateHcl, parseHcl, type HclBlock } from "@garrison/roles/testing/parse-hcl";

/** Does with a configuration what Terraform and its AWS provider would, for the resources that we write, in their order. */
export async function applyTerraform(
  iam: IAMClient,
  text: string,
  root: { readonly account: string; readonly variables: Readonly<Record<string, string>> },
): Promise<void> {
  const blocks = parseHcl(text);
  const known = new Map<string, unknown>([["string", "string"], ...variableValues(blocks, root.variables)]);
  for (const { labels, type } of blocks.filter((block) => block.type === "data")) {
    if (type === "data" && labels[0] === "aws_caller_identity")
      known.set(`data.aws_caller_identity.${labels[1]}.account_id`, root.account);
  }
  for (const block of blocks.filter(({ type }) => type === "resource")) {
    const [type = "", name = ""] = block.labels;
    const apply = appliers[type];
    if (apply === undefined) throw new Error(`${type} is a resource that we don't write`);
    const attributes = await apply(iam, argumentsOf(block, known));
    for (const [key, value] of Object.entries(attributes)) known.set(`${type}.${name}.${key}`, value);
  }
}

function lookUp(known: ReadonlyMap<string, unknown>): (path: string) => unknown {
  return (path) => {
    if (!known.has(path)) throw new Error(`${path} is declared nowhere before`);
    return known.get(path);
  };
}

function variableValues(
  blocks: readonly HclBlock[],
  given: Readonly<Record<string, string>>,
): readonly (readonly [string, unknown])[] {
  return blocks
    .filter(({ type }) => type === "variable")
    .map(({ attributes, labels }) => {
      const [name = ""] = labels;
      const fallback = attributes["default"];
      const value = given[name] ?? (fallback && evaluateHcl(fallback, lookUp(new Map())));
      if (value === undefined) throw new Error(`the variable ${name} has no value`);
      return [`var.${name}`, value] as const;
    });
}

type Arguments = Readonly<Record<string, string>>;

function argumentsOf({ attributes, blocks }: HclBlock, known: ReadonlyMap<string, unknown>): Arguments {
  if (blocks.length > 0) throw new Error("a resource of ours holds no blocks");
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    evaluateHcl(value, lookUp(known)),
  ]);
  return Object.fromEntries(entries) as Arguments;
}

type Applier = (iam: IAMClient, given: Arguments) => Promise<Readonly<Record<string, string | undefined>>>;

const appliers: Readonly<Record<string, Applier>> = {
  aws_iam_role: async (iam, { assume_role_policy, description, name, ...others }) => {
    refuse(others);
    const role = { RoleName: name, Description: description, AssumeRolePolicyDocument: assume_role_policy };
    const made = await iam.send(new CreateRoleCommand(role));
    return { name, arn: made.Role?.Arn };
  },
  aws_iam_role_policy: async (iam, { name, policy, role, ...others }) => {
    refuse(others);
    await iam.send(new PutRolePolicyCommand({ RoleName: role, PolicyName: name, PolicyDocument: policy }));
    return { name };
  },
  aws_iam_policy: async (iam, { name, policy, ...others }) => {
    refuse(others);
    const made = await iam.send(new CreatePolicyCommand({ PolicyName: name, PolicyDocument: policy }));
    return { name, arn: made.Policy?.Arn };
  },
  aws_iam_role_policy_attachment: async (iam, { policy_arn, role, ...others }) => {
    refuse(others);
    await iam.send(new AttachRolePolicyCommand({ RoleName: role, PolicyArn: policy_arn }));
    return {};
  },
  aws_iam_instance_profile: async (iam, { name, role, ...others }) => {
    refuse(others);
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: name }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: role }));
    return { name };
  },
};

function refuse(others: Readonly<Record<string, string>>): void {
  if (Object.keys(others).length > 0) throw new Error(`unknown arguments: ${Object.keys(others).join()}`);
}
