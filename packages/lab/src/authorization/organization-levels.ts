import type { OrganizationLevel } from "@garrison/iam/evaluation-case";
import {
  currentOrganization,
  organizationPath,
  type OrganizationPolicyType,
  type OrganizationTables,
} from "../identity/organization-tables.ts";
import type { ParsedPolicies } from "./parsed-policies.ts";

/**
 * The organisation's policies of one type along the path to an account. Undefined where they don't apply: no
 * organisation, the type not enabled, an account outside of it, or the management account.
 */
export function organizationLevels(
  tables: OrganizationTables,
  parsed: ParsedPolicies,
  subject: { readonly accountId: string; readonly type: OrganizationPolicyType },
): readonly OrganizationLevel[] | undefined {
  const organization = currentOrganization(tables);
  if (organization === undefined || organization.managementAccountId === subject.accountId) return undefined;
  if (!organization.enabledPolicyTypes.includes(subject.type)) return undefined;
  const path = organizationPath(tables, subject.accountId);
  if (path.length === 0) return undefined;
  const policies = [...tables.policies.values()].filter(({ type }) => type === subject.type);
  return path.map((orgIdentifier) => ({
    orgIdentifier,
    policies: policies
      .filter(({ targets }) => targets.includes(orgIdentifier))
      .map(({ id, content }) => ({ name: id, policy: parsed.parse(content) })),
  }));
}
