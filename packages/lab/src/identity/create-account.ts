import type { Lab } from "../lab.ts";
import type { Account } from "./identity-tables.ts";
import { currentOrganization } from "./organization-tables.ts";

export interface NewAccount {
  readonly accountId: string;
  readonly name: string;
  /** Root or unit of the organisation to put it in; absent: outside of it. */
  readonly parentId?: string;
}

/** Makes an account; an existing one of that id is left as it is. */
export function createAccount(lab: Lab, { accountId, name, parentId }: NewAccount): Account {
  const existing = lab.identity.accounts.get(accountId);
  if (existing !== undefined) return existing;
  const account = { accountId, name, email: `${name}@example.com`, createdAtMs: lab.clock.now() };
  lab.identity.accounts.put(accountId, account);
  if (parentId !== undefined && currentOrganization(lab.organization) !== undefined) {
    lab.organization.accountParents.put(accountId, parentId);
    attachFullAccess(lab, accountId);
  }
  return account;
}

/** A new account or unit starts with the policies that allow everything, as AWS attaches them. */
export function attachFullAccess(lab: Lab, targetId: string): void {
  for (const policy of lab.organization.policies.values()) {
    if (!policy.awsManaged || policy.targets.includes(targetId)) continue;
    lab.organization.policies.put(policy.id, { ...policy, targets: [...policy.targets, targetId] });
  }
}
