import type { EvaluationCase, Layer, NamedPolicy, OrganizationLevel } from "./evaluation-case.ts";
import { policyName } from "./layer-policies.ts";
import type { PolicyDocument, StatementDocument } from "./policy-document.ts";

/** The layers that are policies: grants, ACLs and Block Public Access are changed by other means. */
export type PatchedLayer = Exclude<Layer, "kms-grant" | "acl" | "public-access-block">;

export function isPatchedLayer(layer: Layer): layer is PatchedLayer {
  return layer !== "kms-grant" && layer !== "acl" && layer !== "public-access-block";
}

/** One change of one policy: a statement added to it, or one of its statements replaced or taken out. */
export interface PolicyPatch {
  readonly layer: PatchedLayer;
  /** The document, by the name it has in the case; absent: a new one. */
  readonly policy?: string;
  /** Where an organisation policy is attached. */
  readonly orgIdentifier?: string;
  /** The account that the policy is in; an organisation policy is in none. */
  readonly accountId?: string;
  readonly change: "add" | "replace" | "remove";
  /** Which statement is replaced or taken out, from 0, and its Sid. */
  readonly index?: number;
  readonly sid?: string;
  /** What is added, what stands instead, or what is taken out. */
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
  const instead = patch.change === "remove" ? [] : [patch.statement];
  return { ...policy, Statement: statements.toSpliced(patch.index, 1, ...instead) };
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
  const place = findPlace(policies, patch);
  const found = policies[place];
  if (found === undefined) {
    const name = patch.policy === undefined ? {} : { name: patch.policy };
    return [...policies, { ...name, policy: patchDocument(emptyPolicy, patch) }];
  }
  return policies.with(place, { ...found, policy: patchDocument(found.policy, patch) });
}

/** Names need not be unique: the policy is the first that has the statement. */
function findPlace(policies: readonly NamedPolicy[], { change, index, layer, policy }: PolicyPatch): number {
  return policies.findIndex((named, at) => {
    if (policyName(layer, named, at) !== policy) return false;
    const { Statement } = named.policy as PolicyDocument;
    return change === "add" || (index !== undefined && [Statement].flat()[index] !== undefined);
  });
}

function patchLevels(levels: readonly OrganizationLevel[], patch: PolicyPatch): readonly OrganizationLevel[] {
  const place = levels.findIndex(
    ({ orgIdentifier, policies }) =>
      orgIdentifier === patch.orgIdentifier && (patch.change === "add" || findPlace(policies, patch) >= 0),
  );
  const level = levels[place];
  if (level === undefined) return levels;
  return levels.with(place, { ...level, policies: patchSet(level.policies, patch) });
}
