import type {
  AttachPolicyCommandInput,
  CreatePolicyCommandInput,
  DeletePolicyCommandInput,
  DescribePolicyCommandInput,
  DetachPolicyCommandInput,
  ListPoliciesCommandInput,
  ListPoliciesForTargetCommandInput,
  ListTargetsForPolicyCommandInput,
  UpdatePolicyCommandInput,
} from "@aws-sdk/client-organizations";
import type { OrganizationPolicy, OrganizationPolicyType } from "../../identity/organization-tables.ts";
import { newLowerId } from "../../identity/unique-ids.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import {
  organizationArn,
  organizationOf,
  pageOfOrganization,
  permitManagement,
} from "./organization-access.ts";
import { checkPolicyContent } from "./policy-content.ts";

const maxPerTarget = 5;

function describe(call: Call, policy: OrganizationPolicy): object {
  const { id, name, description, type, awsManaged } = policy;
  const arn = awsManaged
    ? `arn:${call.partition}:organizations::aws:policy/${type.toLowerCase()}/${id}`
    : organizationArn(call, "policy", id).replace("service_control_policy", type.toLowerCase());
  return { Id: id, Arn: arn, Name: name, Description: description, Type: type, AwsManaged: awsManaged };
}

function findPolicy(call: Call, action: string, id: string): OrganizationPolicy {
  permitManagement(call, action, organizationArn(call, "policy", id));
  const policy = call.lab.organization.policies.get(id);
  if (policy === undefined)
    throw new AwsError("PolicyNotFoundException", "You specified a policy that doesn't exist.");
  return policy;
}

function ownPolicy(call: Call, action: string, id: string): OrganizationPolicy {
  const policy = findPolicy(call, action, id);
  if (policy.awsManaged)
    throw new AwsError("PolicyChangesNotAllowedException", "AWS managed policies can't be changed.");
  return policy;
}

function savePolicy(call: Call, policy: OrganizationPolicy): void {
  call.lab.organization.policies.put(policy.id, policy);
}

export function createPolicy(input: CreatePolicyCommandInput, call: Call): object {
  const { enabledPolicyTypes } = permitManagement(call, "CreatePolicy");
  const type = input.Type as OrganizationPolicyType;
  if (!enabledPolicyTypes.includes(type))
    throw new AwsError(
      "PolicyTypeNotAvailableForOrganizationException",
      `${String(type)} policies are not available.`,
    );
  checkPolicyContent(input.Content!, type);
  const policies = [...call.lab.organization.policies.values()];
  if (policies.some((policy) => policy.name === input.Name && policy.type === type)) {
    throw new AwsError("DuplicatePolicyException", "A policy with the same name already exists.");
  }
  const policy: OrganizationPolicy = {
    id: `p-${newLowerId(call.lab.random, 10)}`,
    name: input.Name!,
    description: input.Description ?? "",
    type,
    content: input.Content!,
    awsManaged: false,
    targets: [],
  };
  savePolicy(call, policy);
  return { Policy: { PolicySummary: describe(call, policy), Content: policy.content } };
}

export function updatePolicy(input: UpdatePolicyCommandInput, call: Call): object {
  const policy = ownPolicy(call, "UpdatePolicy", input.PolicyId!);
  if (input.Content !== undefined) checkPolicyContent(input.Content, policy.type);
  const changed = {
    ...policy,
    name: input.Name ?? policy.name,
    description: input.Description ?? policy.description,
    content: input.Content ?? policy.content,
  };
  savePolicy(call, changed);
  return { Policy: { PolicySummary: describe(call, changed), Content: changed.content } };
}

export function deletePolicy(input: DeletePolicyCommandInput, call: Call): object {
  const policy = ownPolicy(call, "DeletePolicy", input.PolicyId!);
  if (policy.targets.length > 0)
    throw new AwsError("PolicyInUseException", "The policy is attached to one or more entities.");
  call.lab.organization.policies.delete(policy.id);
  return {};
}

export function describePolicy(input: DescribePolicyCommandInput, call: Call): object {
  const policy = findPolicy(call, "DescribePolicy", input.PolicyId!);
  return { Policy: { PolicySummary: describe(call, policy), Content: policy.content } };
}

export function listPolicies(input: ListPoliciesCommandInput, call: Call): object {
  permitManagement(call, "ListPolicies");
  const policies = [...call.lab.organization.policies.values()].filter(({ type }) => type === input.Filter);
  const { items, ...page } = pageOfOrganization(policies, input);
  return { Policies: items.map((policy) => describe(call, policy)), ...page };
}

export function listPoliciesForTarget(input: ListPoliciesForTargetCommandInput, call: Call): object {
  permitManagement(call, "ListPoliciesForTarget");
  targetKind(call, input.TargetId!);
  const policies = attachedTo(call, input.TargetId!).filter(({ type }) => type === input.Filter);
  const { items, ...page } = pageOfOrganization(policies, input);
  return { Policies: items.map((policy) => describe(call, policy)), ...page };
}

function attachedTo(call: Call, targetId: string): OrganizationPolicy[] {
  return [...call.lab.organization.policies.values()].filter(({ targets }) => targets.includes(targetId));
}

type TargetKind = "ROOT" | "ORGANIZATIONAL_UNIT" | "ACCOUNT";

function targetKind(call: Call, id: string): TargetKind {
  const { units, accountParents } = call.lab.organization;
  if (id === organizationOf(call).rootId) return "ROOT";
  if (units.has(id)) return "ORGANIZATIONAL_UNIT";
  if (accountParents.has(id)) return "ACCOUNT";
  throw new AwsError("TargetNotFoundException", "You specified a target that doesn't exist.");
}

export function listTargetsForPolicy(input: ListTargetsForPolicyCommandInput, call: Call): object {
  const policy = findPolicy(call, "ListTargetsForPolicy", input.PolicyId!);
  const { items, ...page } = pageOfOrganization(policy.targets, input);
  const thingOf = { ROOT: "root", ORGANIZATIONAL_UNIT: "ou", ACCOUNT: "account" } as const;
  const targets = items.map((id) => {
    const kind = targetKind(call, id);
    return {
      TargetId: id,
      Type: kind,
      Arn: organizationArn(call, thingOf[kind], id),
      Name: targetName(call, id),
    };
  });
  return { Targets: targets, ...page };
}

function targetName(call: Call, id: string): string {
  return call.lab.organization.units.get(id)?.name ?? call.lab.identity.accounts.get(id)?.name ?? "Root";
}

export function attachPolicy(input: AttachPolicyCommandInput, call: Call): object {
  const policy = findPolicy(call, "AttachPolicy", input.PolicyId!);
  targetKind(call, input.TargetId!);
  if (policy.targets.includes(input.TargetId!))
    throw new AwsError("DuplicatePolicyAttachmentException", "The policy is already attached to the target.");
  const present = attachedTo(call, input.TargetId!).filter(({ type }) => type === policy.type);
  if (present.length >= maxPerTarget) {
    throw new AwsError(
      "ConstraintViolationException",
      "You have attached the maximum number of policies to the target.",
      {
        members: { Reason: "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" },
      },
    );
  }
  savePolicy(call, { ...policy, targets: [...policy.targets, input.TargetId!] });
  return {};
}

export function detachPolicy(input: DetachPolicyCommandInput, call: Call): object {
  const policy = findPolicy(call, "DetachPolicy", input.PolicyId!);
  if (!policy.targets.includes(input.TargetId!))
    throw new AwsError("PolicyNotAttachedException", "The policy isn't attached to the target.");
  const remaining = attachedTo(call, input.TargetId!).filter(({ type }) => type === policy.type);
  if (remaining.length === 1) {
    throw new AwsError(
      "ConstraintViolationException",
      "The last policy of its type can't be detached from a target.",
      {
        members: { Reason: "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" },
      },
    );
  }
  savePolicy(call, { ...policy, targets: policy.targets.filter((target) => target !== input.TargetId) });
  return {};
}
