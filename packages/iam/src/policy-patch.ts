import type { EvaluationCase, Layer, NamedPolicy, OrganizationLevel } from "./evaluation-case.ts";
import { policyName } from "./layer-policies.ts";
import type { PolicyDocument, StatementDocument } from "./policy-document.ts";

/** One change of one policy: a statement added to it, or one of its statements replaced. */
export interface PolicyPatch {
  readonly layer: Layer;
  /** The document, by the name it has in the case; absent: a new one. */
  readonly policy?: string;
  /** Where an organisation policy is attached. */
  readonly orgIdentifier?: string;
  /** The account that the policy is in; an organisation policy is in none. */
  readonly accountId?: string;
  readonly change: "add" | "replace";
  /** Which statement is replaced, from 0, and its Sid. */
  readonly index?: number;
  readonly sid?: string;
  readonly statement: StatementDocument;
}

/** The policy with the change made; the statement's place must exist. */
export function patchDocument(
  document: object,
  patch: Pick<PolicyPatch, "change" | "index" | "statement">,
): PolicyDocument {
  const policy = document as PolicyDocument;
  const statements = [policy.Statement].flat() as readonly StatementDocument[];
  if (patch.change === "add") return { ...policy, Statement: [...statements, patch.statement] };
  if (patch.index === undefined || statements[patch.index] === undefined) {
    throw new RangeError(`the policy has no statement ${patch.index ?? "without a place"}`);
  }
  return {
    ...policy,
    Statement: statements.map((each, place) => (place === patch.index ? patch.statement : each)),
  };
}

/** The case with the change made, to see what it would decide. */
export function patchCase(given: EvaluationCase, patch: PolicyPatch): EvaluationCase {
  switch (patch.layer) {
    case "identity":
      return { ...given, identityPolicies: patchSet(given.identityPolicies ?? [], patch) };
    case "boundary":
      return { ...given, permissionBoundaries: patchSet(given.permissionBoundaries ?? [], patch) };
    case "vpc-endpoint":
      return { ...given, vpcEndpointPolicies: patchSet(given.vpcEndpointPolicies ?? [], patch) };
    case "session":
      return { ...given, sessionPolicy: patchDocument(given.sessionPolicy ?? emptyPolicy, patch) };
    case "resource":
      return { ...given, resourcePolicy: patchDocument(given.resourcePolicy ?? emptyPolicy, patch) };
    case "scp":
      return { ...given, serviceControlPolicies: patchLevels(given.serviceControlPolicies ?? [], patch) };
    case "rcp":
      return { ...given, resourceControlPolicies: patchLevels(given.resourceControlPolicies ?? [], patch) };
  }
}

const emptyPolicy: PolicyDocument = { Version: "2012-10-17", Statement: [] };

/** The policies of one layer or level with the change made; a patch without a policy makes a new one. */
export function patchSet(policies: readonly NamedPolicy[], patch: PolicyPatch): readonly NamedPolicy[] {
  const place = policies.findIndex((named, at) => policyName(patch.layer, named, at) === patch.policy);
  const found = policies[place];
  if (found === undefined) {
    const name = patch.policy === undefined ? {} : { name: patch.policy };
    return [...policies, { ...name, policy: patchDocument(emptyPolicy, patch) }];
  }
  return policies.map((named, at) =>
    at === place ? { ...named, policy: patchDocument(found.policy, patch) } : named,
  );
}

function patchLevels(levels: readonly OrganizationLevel[], patch: PolicyPatch): readonly OrganizationLevel[] {
  return levels.map((level) =>
    level.orgIdentifier === patch.orgIdentifier
      ? { ...level, policies: patchSet(level.policies, patch) }
      : level,
  );
}
