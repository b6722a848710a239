import type {
  CreatePolicyCommandInput,
  CreatePolicyVersionCommandInput,
  DeletePolicyCommandInput,
  DeletePolicyVersionCommandInput,
  GetPolicyCommandInput,
  GetPolicyVersionCommandInput,
  ListEntitiesForPolicyCommandInput,
  ListPoliciesCommandInput,
  ListPolicyVersionsCommandInput,
  Policy as PolicyOutput,
  SetDefaultPolicyVersionCommandInput,
} from "@aws-sdk/client-iam";
import type { ManagedPolicy, ManagedPolicyVersion } from "../../identity/identity-tables.ts";
import { newUniqueId } from "../../identity/unique-ids.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { checkPolicyDocument } from "./check-policy-document.ts";
import { holdersOf, roleHolder, userHolder } from "./holders.ts";
import { deleteConflict, limitExceeded } from "./iam-errors.ts";
import { checkName, checkPath, codedDocument, policyLength } from "./iam-names.ts";
import { pageOf } from "./iam-page.ts";
import { readTags, tagContext, tagList } from "./iam-tags.ts";
import { policyUses } from "./managed-policy-access.ts";
import { allOf } from "./role-operations.ts";

const maxPolicyLength = 6144;
const maxVersions = 5;

export function createPolicy(input: CreatePolicyCommandInput, call: Call): object {
  const path = input.Path ?? "/";
  checkName("policyName", input.PolicyName, 128);
  checkPath(path);
  const policyName = input.PolicyName!;
  const arn = `arn:${call.partition}:iam::${call.accountId}:policy${path}${policyName}`;
  const tags = readTags(input.Tags);
  call.authorize({
    action: "iam:CreatePolicy",
    resources: [{ arn, accountId: call.accountId }],
    context: tagContext(tags),
  });
  checkDocument(input.PolicyDocument!);
  const { managedPolicies } = call.lab.identity;
  const isTaken = [...managedPolicies.values()].some(
    (policy) =>
      policy.accountId === call.accountId && policy.policyName.toLowerCase() === policyName.toLowerCase(),
  );
  if (isTaken)
    throw new AwsError(
      "EntityAlreadyExists",
      `A policy called ${policyName} already exists. Duplicate names are not allowed.`,
      { status: 409 },
    );
  const createdAtMs = call.lab.clock.now();
  const policy: ManagedPolicy = {
    arn,
    accountId: call.accountId,
    policyName,
    policyId: newUniqueId(call.lab.random, "ANPA"),
    path,
    createdAtMs,
    updatedAtMs: createdAtMs,
    defaultVersionId: "v1",
    versions: [{ versionId: "v1", document: input.PolicyDocument!, createdAtMs }],
    lastVersionNumber: 1,
    tags,
    ...(input.Description === undefined ? {} : { description: input.Description }),
  };
  managedPolicies.put(arn, policy);
  return { Policy: describePolicy(call, policy) };
}

function checkDocument(document: string): void {
  checkPolicyDocument(document, "identity");
  if (policyLength(document) > maxPolicyLength)
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${maxPolicyLength}`);
}

function describePolicy(call: Call, policy: ManagedPolicy): PolicyOutput {
  const uses = policyUses(call, policy.arn);
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: uses.attached,
    PermissionsBoundaryUsageCount: uses.boundaries,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAtMs),
    UpdateDate: new Date(policy.updatedAtMs),
    ...(policy.description === undefined ? {} : { Description: policy.description }),
    Tags: tagList(policy.tags),
  };
}

function authorizedPolicy(call: Call, action: string, arn: string): ManagedPolicy {
  const policy = call.lab.identity.managedPolicies.get(arn);
  // AWS's own policies belong to the caller's account as far as authorisation goes.
  const owner = policy === undefined || policy.accountId === "aws" ? call.accountId : policy.accountId;
  call.authorize({
    action: `iam:${action}`,
    resources: [{ arn, accountId: owner, ...(policy === undefined ? {} : { tags: policy.tags }) }],
  });
  if (policy === undefined)
    throw new AwsError("NoSuchEntity", `Policy ${arn} was not found.`, { status: 404 });
  return policy;
}

function ownPolicy(call: Call, action: string, arn: string): ManagedPolicy {
  const policy = authorizedPolicy(call, action, arn);
  if (policy.accountId === "aws")
    throw new AwsError("AccessDenied", `Policy ${arn} is managed by AWS.`, { status: 403 });
  return policy;
}

export function getPolicy(input: GetPolicyCommandInput, call: Call): object {
  return { Policy: describePolicy(call, authorizedPolicy(call, "GetPolicy", input.PolicyArn!)) };
}

export function listPolicies(input: ListPoliciesCommandInput, call: Call): object {
  call.authorize({ action: "iam:ListPolicies", resources: [allOf(call, "policy")] });
  const { Scope = "All", OnlyAttached = false, PathPrefix = "/" } = input;
  const policies = [...call.lab.identity.managedPolicies.values()]
    .filter(
      ({ accountId }) =>
        (accountId === "aws" && Scope !== "Local") || (accountId === call.accountId && Scope !== "AWS"),
    )
    .filter(({ path }) => path.startsWith(PathPrefix))
    .filter(({ arn }) => !OnlyAttached || policyUses(call, arn).attached > 0)
    .sort((a, b) => (a.policyName < b.policyName ? -1 : 1));
  const { items, ...page } = pageOf(policies, input);
  return { Policies: items.map((policy) => describePolicy(call, policy)), ...page };
}

export function deletePolicy(input: DeletePolicyCommandInput, call: Call): object {
  const policy = ownPolicy(call, "DeletePolicy", input.PolicyArn!);
  const uses = policyUses(call, policy.arn);
  if (uses.attached + uses.boundaries > 0)
    throw deleteConflict("Cannot delete a policy attached to entities.");
  if (policy.versions.length > 1) {
    throw deleteConflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    );
  }
  call.lab.identity.managedPolicies.delete(policy.arn);
  return {};
}

export function createPolicyVersion(input: CreatePolicyVersionCommandInput, call: Call): object {
  const policy = ownPolicy(call, "CreatePolicyVersion", input.PolicyArn!);
  checkDocument(input.PolicyDocument!);
  if (policy.versions.length >= maxVersions) {
    throw limitExceeded(
      "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    );
  }
  const number = policy.lastVersionNumber + 1;
  const createdAtMs = call.lab.clock.now();
  const version = { versionId: `v${number}`, document: input.PolicyDocument!, createdAtMs };
  const changed = {
    ...policy,
    versions: [...policy.versions, version],
    lastVersionNumber: number,
    updatedAtMs: createdAtMs,
    defaultVersionId: input.SetAsDefault ? version.versionId : policy.defaultVersionId,
  };
  call.lab.identity.managedPolicies.put(policy.arn, changed);
  const { Document: _document, ...described } = describeVersion(changed, version);
  return { PolicyVersion: described };
}

function versionOf(policy: ManagedPolicy, versionId: string): ManagedPolicyVersion {
  const version = policy.versions.find((candidate) => candidate.versionId === versionId);
  if (version === undefined) {
    throw new AwsError(
      "NoSuchEntity",
      `Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`,
      { status: 404 },
    );
  }
  return version;
}

function describeVersion(policy: ManagedPolicy, version: ManagedPolicyVersion): Record<string, unknown> {
  return {
    Document: codedDocument(version.document),
    VersionId: version.versionId,
    IsDefaultVersion: version.versionId === policy.defaultVersionId,
    CreateDate: new Date(version.createdAtMs),
  };
}

export function getPolicyVersion(input: GetPolicyVersionCommandInput, call: Call): object {
  const policy = authorizedPolicy(call, "GetPolicyVersion", input.PolicyArn!);
  return { PolicyVersion: describeVersion(policy, versionOf(policy, input.VersionId!)) };
}

export function listPolicyVersions(input: ListPolicyVersionsCommandInput, call: Call): object {
  const policy = authorizedPolicy(call, "ListPolicyVersions", input.PolicyArn!);
  const { items, ...page } = pageOf([...policy.versions].reverse(), input);
  const versions = items.map((version) => {
    const { Document: _document, ...rest } = describeVersion(policy, version);
    return rest;
  });
  return { Versions: versions, ...page };
}

export function deletePolicyVersion(input: DeletePolicyVersionCommandInput, call: Call): object {
  const policy = ownPolicy(call, "DeletePolicyVersion", input.PolicyArn!);
  const version = versionOf(policy, input.VersionId!);
  if (version.versionId === policy.defaultVersionId)
    throw deleteConflict("Cannot delete the default version of a policy.");
  const versions = policy.versions.filter((candidate) => candidate !== version);
  call.lab.identity.managedPolicies.put(policy.arn, { ...policy, versions });
  return {};
}

export function setDefaultPolicyVersion(input: SetDefaultPolicyVersionCommandInput, call: Call): object {
  const policy = ownPolicy(call, "SetDefaultPolicyVersion", input.PolicyArn!);
  const { versionId } = versionOf(policy, input.VersionId!);
  call.lab.identity.managedPolicies.put(policy.arn, {
    ...policy,
    defaultVersionId: versionId,
    updatedAtMs: call.lab.clock.now(),
  });
  return {};
}

export function listEntitiesForPolicy(input: ListEntitiesForPolicyCommandInput, call: Call): object {
  const policy = authorizedPolicy(call, "ListEntitiesForPolicy", input.PolicyArn!);
  const uses = (holder: {
    readonly attachedPolicyArns: readonly string[];
    readonly boundaryArn?: string;
  }): boolean =>
    input.PolicyUsageFilter === "PermissionsBoundary"
      ? holder.boundaryArn === policy.arn
      : holder.attachedPolicyArns.includes(policy.arn);
  const roles = holdersOf(roleHolder, call).filter(uses);
  const users = holdersOf(userHolder, call).filter(uses);
  return {
    PolicyRoles: roles.map(({ roleName, roleId }) => ({ RoleName: roleName, RoleId: roleId })),
    PolicyUsers: users.map(({ userName, userId }) => ({ UserName: userName, UserId: userId })),
    PolicyGroups: [],
    IsTruncated: false,
  };
}
