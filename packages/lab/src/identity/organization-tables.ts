import type { Collection } from "../state/collection.ts";
import type { LabState } from "../state/lab-state.ts";

export interface Organization {
  readonly id: string;
  readonly managementAccountId: string;
  readonly rootId: string;
  /** Policy types that are enabled at the root. */
  readonly enabledPolicyTypes: readonly OrganizationPolicyType[];
}

export type OrganizationPolicyType = "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY";

export interface OrganizationalUnit {
  readonly id: string;
  readonly name: string;
  /** Root or another unit. */
  readonly parentId: string;
}

export interface OrganizationPolicy {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly type: OrganizationPolicyType;
  readonly content: string;
  readonly awsManaged: boolean;
  /** Root, units and accounts that it is attached to. */
  readonly targets: readonly string[];
}

export interface OrganizationTables {
  /** One entry at most, under its id. */
  readonly organizations: Collection<Organization>;
  readonly units: Collection<OrganizationalUnit>;
  /** Account id to the id of its root or unit; accounts outside the organisation have none. */
  readonly accountParents: Collection<string>;
  readonly policies: Collection<OrganizationPolicy>;
}

export function openOrganizationTables(state: LabState): OrganizationTables {
  return {
    organizations: state.collection("organizations"),
    units: state.collection("organizational-units"),
    accountParents: state.collection("account-parents"),
    policies: state.collection("organization-policies"),
  };
}

export function currentOrganization(tables: OrganizationTables): Organization | undefined {
  for (const organization of tables.organizations.values()) return organization;
  return undefined;
}

/** Root, units from the outside in, then the account itself; empty for an account outside the organisation. */
export function organizationPath(tables: OrganizationTables, accountId: string): readonly string[] {
  const path = [accountId];
  for (
    let parent = tables.accountParents.get(accountId);
    parent !== undefined;
    parent = tables.units.get(parent)?.parentId
  ) {
    path.unshift(parent);
  }
  return path.length === 1 ? [] : path;
}
