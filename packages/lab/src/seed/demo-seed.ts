import { createAccount } from "../identity/create-account.ts";
import { createUserWithKey } from "../identity/create-user-with-key.ts";
import type { OrganizationPolicy, OrganizationPolicyType } from "../identity/organization-tables.ts";
import type { Lab } from "../lab.ts";

export const demoAccounts = {
  management: "999999999999",
  backup: "111111111111",
  production: "222222222222",
} as const;

const organizationId = "o-garrisonlab";
const rootId = "r-root";
const operatorName = "operator";

/**
 * Where an organisation that runs in one Region would still need to call: services whose endpoint is global, and the event
 * history that has their calls.
 */
const globalServices = [
  "iam:*",
  "cloudtrail:LookupEvents",
  "organizations:*",
  "sts:*",
  "support:*",
  "route53:*",
  "cloudfront:*",
  "budgets:*",
  "health:*",
];

/**
 * Three accounts in an organisation, each with an administrator's user, and an SCP with a condition on the unit that
 * holds production: no Region but the lab's own. Does nothing when there are accounts already.
 */
export function seedDemo(lab: Lab): void {
  if (lab.identity.accounts.size > 0) return;
  const { organizations, units } = lab.organization;
  organizations.put(organizationId, {
    id: organizationId,
    managementAccountId: demoAccounts.management,
    rootId,
    enabledPolicyTypes: ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],
  });
  units.put("ou-root-workloads", { id: "ou-root-workloads", name: "workloads", parentId: rootId });
  units.put("ou-root-backup", { id: "ou-root-backup", name: "backup", parentId: rootId });
  const everywhere = [rootId, "ou-root-workloads", "ou-root-backup"];
  putPolicy(lab, fullAccess("p-FullAWSAccess", "SERVICE_CONTROL_POLICY", everywhere));
  putPolicy(lab, fullAccess("p-RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY", everywhere));
  createAccount(lab, { accountId: demoAccounts.management, name: "management", parentId: rootId });
  createAccount(lab, { accountId: demoAccounts.backup, name: "backup", parentId: "ou-root-backup" });
  createAccount(lab, {
    accountId: demoAccounts.production,
    name: "production",
    parentId: "ou-root-workloads",
  });
  putPolicy(lab, oneRegionPolicy(lab.settings.region));
  for (const accountId of Object.values(demoAccounts)) {
    const attachedPolicyArns = [`arn:${lab.settings.partition}:iam::aws:policy/AdministratorAccess`];
    createUserWithKey(lab, { accountId, userName: operatorName, attachedPolicyArns });
  }
}

/** The administrator's key of each account, by account id. */
export function operatorKeys(
  lab: Lab,
): Record<string, { readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const keys = [...lab.identity.accessKeys.values()].filter(
    ({ userName, status }) => userName === operatorName && status === "Active",
  );
  return Object.fromEntries(
    keys.map(({ accountId, accessKeyId, secretAccessKey }) => [accountId, { accessKeyId, secretAccessKey }]),
  );
}

function putPolicy(lab: Lab, policy: OrganizationPolicy): void {
  lab.organization.policies.put(policy.id, policy);
}

function fullAccess(
  id: string,
  type: OrganizationPolicyType,
  targets: readonly string[],
): OrganizationPolicy {
  const statement =
    type === "SERVICE_CONTROL_POLICY"
      ? { Effect: "Allow", Action: "*", Resource: "*" }
      : { Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
  return {
    id,
    name: id.slice(2),
    description: "Allows access to every operation",
    type,
    content: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    awsManaged: true,
    targets,
  };
}

function oneRegionPolicy(region: string): OrganizationPolicy {
  const statement = {
    Sid: "OneRegion",
    Effect: "Deny",
    NotAction: globalServices,
    Resource: "*",
    Condition: { StringNotEquals: { "aws:RequestedRegion": region } },
  };
  return {
    id: "p-oneregion",
    name: "one-region",
    description: `Workloads run in ${region} only`,
    type: "SERVICE_CONTROL_POLICY",
    content: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    awsManaged: false,
    targets: ["ou-root-workloads"],
  };
}
