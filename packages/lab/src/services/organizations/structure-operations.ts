import type {
  CreateOrganizationalUnitCommandInput,
  DescribeAccountCommandInput,
  DescribeOrganizationalUnitCommandInput,
  ListAccountsCommandInput,
  ListAccountsForParentCommandInput,
  ListChildrenCommandInput,
  ListOrganizationalUnitsForParentCommandInput,
  ListParentsCommandInput,
  MoveAccountCommandInput,
} from "@aws-sdk/client-organizations";
import { attachFullAccess } from "../../identity/create-account.ts";
import type { Account } from "../../identity/identity-tables.ts";
import { newLowerId } from "../../identity/unique-ids.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import {
  organizationArn,
  organizationOf,
  pageOfOrganization,
  permitManagement,
} from "./organization-access.ts";

export function describeOrganization(_input: object, call: Call): object {
  const { id, managementAccountId, enabledPolicyTypes } = organizationOf(call);
  call.authorize({
    action: "organizations:DescribeOrganization",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  return {
    Organization: {
      Id: id,
      Arn: organizationArn(call, "organization", id),
      FeatureSet: "ALL",
      MasterAccountId: managementAccountId,
      MasterAccountArn: organizationArn(call, "account", managementAccountId),
      MasterAccountEmail: call.lab.identity.accounts.get(managementAccountId)?.email ?? "",
      AvailablePolicyTypes: enabledPolicyTypes.map((Type) => ({ Type, Status: "ENABLED" })),
    },
  };
}

export function listRoots(_input: object, call: Call): object {
  const { rootId, enabledPolicyTypes } = permitManagement(call, "ListRoots");
  const PolicyTypes = enabledPolicyTypes.map((Type) => ({ Type, Status: "ENABLED" }));
  return { Roots: [{ Id: rootId, Arn: organizationArn(call, "root", rootId), Name: "Root", PolicyTypes }] };
}

function describe(call: Call, account: Account): object {
  return {
    Id: account.accountId,
    Arn: organizationArn(call, "account", account.accountId),
    Email: account.email,
    Name: account.name,
    Status: "ACTIVE",
    State: "ACTIVE",
    JoinedMethod: "CREATED",
    JoinedTimestamp: new Date(account.createdAtMs),
  };
}

function memberAccounts(call: Call): Account[] {
  const { accountParents } = call.lab.organization;
  return [...call.lab.identity.accounts.values()].filter(({ accountId }) => accountParents.has(accountId));
}

export function listAccounts(input: ListAccountsCommandInput, call: Call): object {
  permitManagement(call, "ListAccounts");
  const { items, ...page } = pageOfOrganization(memberAccounts(call), input);
  return { Accounts: items.map((account) => describe(call, account)), ...page };
}

export function describeAccount(input: DescribeAccountCommandInput, call: Call): object {
  permitManagement(call, "DescribeAccount", organizationArn(call, "account", input.AccountId!));
  const account = memberAccounts(call).find(({ accountId }) => accountId === input.AccountId);
  if (account === undefined)
    throw new AwsError("AccountNotFoundException", "You specified an account that doesn't exist.");
  return { Account: describe(call, account) };
}

export function listAccountsForParent(input: ListAccountsForParentCommandInput, call: Call): object {
  permitManagement(call, "ListAccountsForParent");
  const { accountParents } = call.lab.organization;
  const own = memberAccounts(call).filter(
    ({ accountId }) => accountParents.get(accountId) === input.ParentId,
  );
  const { items, ...page } = pageOfOrganization(own, input);
  return { Accounts: items.map((account) => describe(call, account)), ...page };
}

function describeUnit(call: Call, { id, name }: { readonly id: string; readonly name: string }): object {
  return { Id: id, Arn: organizationArn(call, "ou", id), Name: name };
}

export function describeOrganizationalUnit(
  input: DescribeOrganizationalUnitCommandInput,
  call: Call,
): object {
  permitManagement(
    call,
    "DescribeOrganizationalUnit",
    organizationArn(call, "ou", input.OrganizationalUnitId!),
  );
  const unit = call.lab.organization.units.get(input.OrganizationalUnitId!);
  if (unit === undefined)
    throw new AwsError(
      "OrganizationalUnitNotFoundException",
      "You specified an organizational unit that doesn't exist.",
    );
  return { OrganizationalUnit: describeUnit(call, unit) };
}

export function listOrganizationalUnitsForParent(
  input: ListOrganizationalUnitsForParentCommandInput,
  call: Call,
): object {
  permitManagement(call, "ListOrganizationalUnitsForParent");
  checkParent(call, input.ParentId!);
  const units = [...call.lab.organization.units.values()].filter(
    ({ parentId }) => parentId === input.ParentId,
  );
  const { items, ...page } = pageOfOrganization(units, input);
  return { OrganizationalUnits: items.map((unit) => describeUnit(call, unit)), ...page };
}

function checkParent(call: Call, id: string): void {
  if (id === organizationOf(call).rootId || call.lab.organization.units.has(id)) return;
  throw new AwsError("ParentNotFoundException", "You specified a parent that doesn't exist.");
}

export function listParents(input: ListParentsCommandInput, call: Call): object {
  const { rootId } = permitManagement(call, "ListParents");
  const { accountParents, units } = call.lab.organization;
  const parent = accountParents.get(input.ChildId!) ?? units.get(input.ChildId!)?.parentId;
  if (parent === undefined)
    throw new AwsError("ChildNotFoundException", "You specified a child that doesn't exist.");
  return { Parents: [{ Id: parent, Type: parent === rootId ? "ROOT" : "ORGANIZATIONAL_UNIT" }] };
}

export function listChildren(input: ListChildrenCommandInput, call: Call): object {
  permitManagement(call, "ListChildren");
  checkParent(call, input.ParentId!);
  const { accountParents, units } = call.lab.organization;
  const isAccount = input.ChildType === "ACCOUNT";
  const ids = isAccount
    ? [...accountParents.entries()].filter(([, parent]) => parent === input.ParentId).map(([id]) => id)
    : [...units.values()].filter(({ parentId }) => parentId === input.ParentId).map(({ id }) => id);
  const { items, ...page } = pageOfOrganization(ids, input);
  return { Children: items.map((Id) => ({ Id, Type: input.ChildType })), ...page };
}

export function createOrganizationalUnit(input: CreateOrganizationalUnitCommandInput, call: Call): object {
  const { rootId } = permitManagement(call, "CreateOrganizationalUnit");
  checkParent(call, input.ParentId!);
  const unit = {
    id: `ou-${rootId.slice(2)}-${newLowerId(call.lab.random, 8)}`,
    name: input.Name!,
    parentId: input.ParentId!,
  };
  call.lab.organization.units.put(unit.id, unit);
  attachFullAccess(call.lab, unit.id);
  return { OrganizationalUnit: describeUnit(call, unit) };
}

export function moveAccount(input: MoveAccountCommandInput, call: Call): object {
  permitManagement(call, "MoveAccount");
  checkParent(call, input.DestinationParentId!);
  const { accountParents } = call.lab.organization;
  if (accountParents.get(input.AccountId!) !== input.SourceParentId) {
    throw new AwsError(
      "SourceParentNotFoundException",
      "The account is not in the source root or organizational unit.",
    );
  }
  accountParents.put(input.AccountId!, input.DestinationParentId!);
  return {};
}
