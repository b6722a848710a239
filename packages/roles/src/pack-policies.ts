import { GarrisonError } from "@garrison/core/garrison-error";
import { policySize, type PolicyStatement, type PolicyText } from "./policy-statement.ts";

/** AWS's limits in characters without white space (IAM quotas). */
export const inlineTotalLimit = 10_240;
export const managedPolicyLimit = 6_144;
export const managedPoliciesPerRole = 10;
export const trustPolicyLimit = 2_048;

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyText;
}

export interface PackedPolicies {
  readonly inlinePolicies: readonly NamedPolicy[];
  readonly managedPolicies: readonly NamedPolicy[];
}

/**
 * Inline while all of it fits: an inline policy lives and dies with its role. Otherwise managed policies, filled in the
 * catalogue's order, so that the same grants always give the same documents.
 */
export function packPolicies(roleName: string, groups: readonly NamedPolicy[]): PackedPolicies {
  const filled = groups.filter((group) => group.document.Statement.length > 0);
  const total = filled.reduce((sum, group) => sum + policySize(group.document), 0);
  if (total <= inlineTotalLimit) return { inlinePolicies: filled, managedPolicies: [] };
  const statements = filled.flatMap((group) => group.document.Statement);
  const documents = packStatements(statements);
  if (documents.length > managedPoliciesPerRole) {
    throw new GarrisonError(
      "role-document-too-large",
      `the rights of ${roleName} need ${documents.length} managed policies; a role takes ${managedPoliciesPerRole}`,
    );
  }
  const managedPolicies = documents.map((document, index) => ({
    name: `${roleName}-${index + 1}`,
    document,
  }));
  return { inlinePolicies: [], managedPolicies };
}

/** As few managed policies as hold the statements in their order. */
export function packStatements(statements: readonly PolicyStatement[]): readonly PolicyText[] {
  const documents: PolicyText[] = [];
  let current: PolicyText = { Version: "2012-10-17", Statement: [] };
  for (const statement of statements) {
    const longer: PolicyText = { ...current, Statement: [...current.Statement, statement] };
    if (policySize(longer) <= managedPolicyLimit) {
      current = longer;
      continue;
    }
    if (current.Statement.length > 0) documents.push(current);
    current = { ...current, Statement: [statement] };
    if (policySize(current) > managedPolicyLimit) {
      throw new GarrisonError(
        "role-document-too-large",
        `the statement ${statement.Sid} alone exceeds a managed policy`,
      );
    }
  }
  return current.Statement.length > 0 ? [...documents, current] : documents;
}
