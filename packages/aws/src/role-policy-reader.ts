import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import {
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  type OrganizationsClient,
} from "@aws-sdk/client-organizations";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CollectedPolicies, PolicyReader } from "@garrison/roles/policy-reader";
import type { Answer, Call } from "@garrison/roles/prober";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { askAws } from "./ask-aws.ts";
import type { AwsClients } from "./aws-clients.ts";
import { readAccountLimits } from "./read-account-limits.ts";
import { readEndpointPolicies } from "./read-endpoint-policies.ts";
import { readResourcePolicy } from "./read-resource-policy.ts";
import { parseDocument } from "./role-prober.ts";

type NamedPolicy = CollectedPolicies["identityPolicies"][number];
type OrganizationLevel = NonNullable<CollectedPolicies["serviceControlPolicies"]>[number];

/**
 * Reads IAM policies with operators' own credentials: of each account for which one is given, and the organisation's with
 * whichever may. What can't be read is named in `gaps`, never guessed.
 */
export function openPolicyReader(operators: readonly AwsClients[]): PolicyReader {
  const accounts = new Map<AwsClients, string>();
  const organization = new Map<string, OrganizationPolicies>();
  async function withOperator<Value>(
    asked: { readonly accountId: string; readonly call: Call },
    doing: string,
    ask: (operator: AwsClients) => Promise<Value>,
  ): Promise<Answer<Value>> {
    const operator = await operatorOf(operators, accounts, asked);
    if (operator !== undefined) return askAws(asked.call, doing, () => ask(operator));
    return { outcome: "unreachable", message: `no operator credentials for account ${asked.accountId}` };
  }
  return {
    collect: async (roleArn, call) => {
      const { accountId } = parseRoleArn(roleArn);
      const operator = await operatorOf(operators, accounts, { accountId, call });
      if (operator === undefined) {
        return { outcome: "unreachable", message: `no operator credentials for account ${accountId}` };
      }
      const own = await askAws(call, `reading the IAM policies of ${roleArn}`, () =>
        readRole(operator.iam(), roleArn, call),
      );
      if (own.outcome !== "known") return own;
      const levels = organization.get(accountId) ?? (await readOrganization(operators, accountId, call));
      organization.set(accountId, levels);
      return { outcome: "known", value: { ...own.value, ...levels, roleArn } };
    },
    readResourcePolicy: (arn, owner, call) =>
      withOperator({ ...owner, call }, `reading the policy of ${arn}`, (operator) =>
        readResourcePolicy(operator, arn, call),
      ),
    readEndpointPolicies: ({ accountId, subnetId }, call) =>
      withOperator({ accountId, call }, `reading the endpoints of ${subnetId}`, (operator) =>
        readEndpointPolicies(operator.ec2(), subnetId, call),
      ),
    readAccountLimits: (accountId, call) =>
      withOperator({ accountId, call }, `reading the limits of ${accountId}`, (operator) =>
        readAccountLimits(operator.iam(), call),
      ),
  };
}

async function operatorOf(
  operators: readonly AwsClients[],
  accounts: Map<AwsClients, string>,
  asked: { readonly accountId: string; readonly call: Call },
): Promise<AwsClients | undefined> {
  for (const operator of operators) {
    if (accounts.has(operator)) continue;
    const who = await askAws(asked.call, "asking who the operator is", () =>
      operator.sts().send(new GetCallerIdentityCommand({}), { abortSignal: asked.call.signal }),
    );
    accounts.set(operator, who.outcome === "known" ? (who.value.Account ?? "") : "");
  }
  return operators.find((operator) => accounts.get(operator) === asked.accountId);
}

type RolePolicies = Pick<CollectedPolicies, "trust" | "identityPolicies" | "permissionBoundaries">;

async function readRole(
  iam: IAMClient,
  roleArn: string,
  { signal: abortSignal }: Call,
): Promise<RolePolicies> {
  const RoleName = parseRoleArn(roleArn).roleName;
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }), { abortSignal });
  const identityPolicies: NamedPolicy[] = [];
  const inline = await iam.send(new ListRolePoliciesCommand({ RoleName, MaxItems: 1000 }), { abortSignal });
  for (const PolicyName of inline.PolicyNames ?? []) {
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }), {
      abortSignal,
    });
    identityPolicies.push({ name: PolicyName, policy: parseDocument(PolicyDocument) });
  }
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 1000 }), {
    abortSignal,
  });
  for (const { PolicyArn } of attached.AttachedPolicies ?? []) {
    if (PolicyArn !== undefined)
      identityPolicies.push(await readManaged(iam, PolicyArn, { signal: abortSignal }));
  }
  const boundary = Role?.PermissionsBoundary?.PermissionsBoundaryArn;
  return {
    trust: parseDocument(Role?.AssumeRolePolicyDocument),
    identityPolicies,
    ...(boundary === undefined
      ? {}
      : { permissionBoundaries: [await readManaged(iam, boundary, { signal: abortSignal })] }),
  };
}

async function readManaged(iam: IAMClient, PolicyArn: string, { signal }: Call): Promise<NamedPolicy> {
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), { abortSignal: signal });
  const VersionId = Policy?.DefaultVersionId ?? "v1";
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }), {
    abortSignal: signal,
  });
  return { name: PolicyArn, policy: parseDocument(PolicyVersion?.Document) };
}

type OrganizationPolicies = Pick<
  CollectedPolicies,
  "serviceControlPolicies" | "resourceControlPolicies" | "organizationId" | "gaps"
>;

/** The first operator who may read the organisation (its management account, or a delegated administrator) tells all. */
async function readOrganization(
  operators: readonly AwsClients[],
  accountId: string,
  call: Call,
): Promise<OrganizationPolicies> {
  for (const operator of operators) {
    const read = await askAws(call, "reading the organisation", async () => {
      const client = operator.organizations();
      const { Organization } = await client.send(new DescribeOrganizationCommand({}), {
        abortSignal: call.signal,
      });
      if (Organization?.MasterAccountId === accountId) return { gaps: [] }; // no organisation policy limits it
      const path = await pathOf(client, accountId, call);
      return {
        ...(Organization?.Id === undefined ? {} : { organizationId: Organization.Id }),
        serviceControlPolicies: await readLevels(client, { path, Filter: "SERVICE_CONTROL_POLICY" }, call),
        resourceControlPolicies: await readLevels(client, { path, Filter: "RESOURCE_CONTROL_POLICY" }, call),
        gaps: [],
      };
    });
    if (read.outcome === "known") return withoutUnused(read);
  }
  return { gaps: ["organisation policies"] };
}

/** A type of policy that the organisation has not switched on is attached nowhere, and limits nothing. */
function withoutUnused(
  read: Extract<Answer<OrganizationPolicies>, { outcome: "known" }>,
): OrganizationPolicies {
  const { gaps, organizationId, resourceControlPolicies, serviceControlPolicies } = read.value;
  const isOn = (levels: readonly OrganizationLevel[] | undefined) =>
    levels !== undefined && levels.some(({ policies }) => policies.length > 0);
  return {
    gaps,
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(isOn(serviceControlPolicies) && serviceControlPolicies !== undefined
      ? { serviceControlPolicies }
      : {}),
    ...(isOn(resourceControlPolicies) && resourceControlPolicies !== undefined
      ? { resourceControlPolicies }
      : {}),
  };
}

/** Root first, account last. */
async function pathOf(
  client: OrganizationsClient,
  accountId: string,
  call: Call,
): Promise<readonly string[]> {
  const path = [accountId];
  for (let depth = 0; depth < 10; depth++) {
    const [ChildId = accountId] = path;
    const { Parents } = await client.send(new ListParentsCommand({ ChildId }), { abortSignal: call.signal });
    const parent = Parents?.[0]?.Id;
    if (parent === undefined) break;
    path.unshift(parent);
    if (parent.startsWith("r-")) return path;
  }
  throw new GarrisonError("aws-not-found", `the organisation shows no path from its root to ${accountId}`);
}

async function readLevels(
  client: OrganizationsClient,
  asked: {
    readonly path: readonly string[];
    readonly Filter: "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY";
  },
  { signal: abortSignal }: Call,
): Promise<readonly OrganizationLevel[]> {
  const levels: OrganizationLevel[] = [];
  for (const TargetId of asked.path) {
    const policies: NamedPolicy[] = [];
    let NextToken: string | undefined;
    do {
      const command = new ListPoliciesForTargetCommand({ TargetId, Filter: asked.Filter, NextToken });
      const page = await client.send(command, { abortSignal });
      for (const { Id, Name } of page.Policies ?? []) {
        const { Policy } = await client.send(new DescribePolicyCommand({ PolicyId: Id }), { abortSignal });
        policies.push({
          name: `${Name ?? ""} (${Id ?? ""})`,
          policy: JSON.parse(Policy?.Content ?? "{}") as object,
        });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    levels.push({ orgIdentifier: TargetId, policies });
  }
  return levels;
}
