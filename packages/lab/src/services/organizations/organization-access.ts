import { currentOrganization, type Organization } from "../../identity/organization-tables.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";

/** Parts of ARNs of the organisation's things. */
export type OrganizationThing = "root" | "ou" | "account" | "policy" | "organization";

export function organizationOf(call: Call): Organization {
  const organization = currentOrganization(call.lab.organization);
  const isMember =
    call.accountId === organization?.managementAccountId ||
    call.lab.organization.accountParents.has(call.accountId);
  if (organization === undefined || !isMember) {
    throw new AwsError(
      "AWSOrganizationsNotInUseException",
      "Your account is not a member of an organization.",
    );
  }
  return organization;
}

/** ARNs name the management account as owner, whoever asks. */
export function organizationArn(call: Call, thing: OrganizationThing, id: string): string {
  const { id: organizationId, managementAccountId } = organizationOf(call);
  const base = `arn:${call.partition}:organizations::${managementAccountId}:${thing}/${organizationId}`;
  if (thing === "organization") return base;
  return thing === "policy" ? `${base}/service_control_policy/${id}` : `${base}/${id}`;
}

/** Everything but DescribeOrganization is for the management account alone: the lab has no delegated administrators. */
export function permitManagement(call: Call, action: string, arn = "*"): Organization {
  const organization = organizationOf(call);
  call.authorize({
    action: `organizations:${action}`,
    resources: [{ arn, accountId: organization.managementAccountId }],
  });
  if (call.accountId !== organization.managementAccountId) {
    throw new AwsError("AccessDeniedException", "You don't have permissions to access this resource.");
  }
  return organization;
}

export interface OrganizationsPage {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export function pageOfOrganization<Item>(
  all: readonly Item[],
  { MaxResults = 20, NextToken }: OrganizationsPage,
): { items: readonly Item[]; NextToken?: string } {
  const start = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, "base64url").toString("latin1"));
  if (!Number.isInteger(start) || MaxResults < 1 || MaxResults > 20) {
    throw new AwsError(
      "InvalidInputException",
      "You provided invalid values for one or more of the request parameters.",
    );
  }
  const next = start + MaxResults;
  const items = all.slice(start, next);
  return next < all.length
    ? { items, NextToken: Buffer.from(String(next)).toString("base64url") }
    : { items };
}
