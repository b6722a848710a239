import type { CallerPrincipal } from "../identity/caller-principal.ts";
import {
  currentOrganization,
  organizationPath,
  type OrganizationTables,
} from "../identity/organization-tables.ts";
import type { VpcEndpointRecord } from "../services/ec2/networks/network-records.ts";
import type { ResourceAccess } from "../wire/operation-handler.ts";

export type Context = Record<string, string | readonly string[]>;

/** What the request itself contributes to the context. */
export interface RequestFacts {
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly region: string;
  readonly nowMs: number;
  /** The VPC endpoint that the request came through, and the service that it leads to. */
  readonly endpoint?: { readonly service: string; readonly record: VpcEndpointRecord };
}

/** Condition keys that hold for every action of a call. The lab stands for TLS endpoints, so SecureTransport is true. */
export function callContext(
  tables: OrganizationTables,
  caller: CallerPrincipal,
  facts: RequestFacts,
): Context {
  const now = new Date(facts.nowMs);
  return {
    // AWS doesn't give it where the request came through an endpoint.
    ...(facts.endpoint === undefined ? { "aws:SourceIp": facts.sourceIp } : {}),
    "aws:UserAgent": facts.userAgent,
    "aws:SecureTransport": "true",
    "aws:RequestedRegion": facts.region,
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(facts.nowMs / 1000)),
    "aws:ViaAWSService": "false",
    "aws:PrincipalIsAWSService": "false",
    ...principalContext(caller),
    ...principalOrganization(tables, caller),
    ...sessionContext(caller),
  };
}

/** What an endpoint adds to the actions of its own service; calls that this service then makes don't pass the endpoint. */
export function endpointContext({ endpoint, sourceIp }: RequestFacts, action: string): Context {
  if (endpoint === undefined || !action.startsWith(`${endpoint.service}:`)) return {};
  const { vpcEndpointId, vpcId } = endpoint.record;
  return { "aws:SourceVpce": vpcEndpointId, "aws:SourceVpc": vpcId, "aws:VpcSourceIp": sourceIp };
}

function principalContext(caller: CallerPrincipal): Context {
  if (caller.type === "anonymous") return { "aws:PrincipalType": "Anonymous", "aws:userid": "anonymous" };
  const context: Context = {
    "aws:PrincipalArn": caller.roleArn ?? caller.arn,
    "aws:PrincipalAccount": caller.accountId,
    "aws:PrincipalType": { user: "User", "role-session": "AssumedRole", root: "Account" }[caller.type],
    "aws:userid": caller.userId,
  };
  if (caller.userName !== undefined) context["aws:username"] = caller.userName;
  for (const [name, value] of Object.entries(caller.tags)) context[`aws:PrincipalTag/${name}`] = value;
  return context;
}

function principalOrganization(tables: OrganizationTables, caller: CallerPrincipal): Context {
  const organization = currentOrganization(tables);
  const path = organizationPath(tables, caller.accountId);
  if (caller.type === "anonymous" || organization === undefined || path.length === 0) return {};
  return {
    "aws:PrincipalOrgID": organization.id,
    "aws:PrincipalOrgPaths": [`${organization.id}/${path.slice(0, -1).join("/")}/`],
  };
}

function sessionContext({ session }: CallerPrincipal): Context {
  if (session === undefined) return {};
  const context: Context = {
    "aws:TokenIssueTime": new Date(session.issuedAtMs).toISOString(),
    "aws:MultiFactorAuthPresent": String(session.mfa ?? false),
  };
  if (session.sourceIdentity !== undefined) context["aws:SourceIdentity"] = session.sourceIdentity;
  if (session.instance === undefined) return context;
  const { instanceId, region, vpcId, privateIp } = session.instance;
  context["ec2:SourceInstanceARN"] = `arn:aws:ec2:${region}:${session.accountId}:instance/${instanceId}`;
  context["ec2:RoleDelivery"] = "2.0";
  if (vpcId !== undefined) context["aws:Ec2InstanceSourceVpc"] = vpcId;
  if (privateIp !== undefined) context["aws:Ec2InstanceSourcePrivateIPv4"] = privateIp;
  return context;
}

/** Condition keys that hold for one resource of a call. */
export function resourceContext(
  tables: OrganizationTables,
  resource: ResourceAccess,
  action: string,
): Context {
  const context: Context = { "aws:ResourceAccount": resource.accountId };
  const organization = currentOrganization(tables);
  const path = organizationPath(tables, resource.accountId);
  if (organization !== undefined && path.length > 0) {
    context["aws:ResourceOrgID"] = organization.id;
    context["aws:ResourceOrgPaths"] = [`${organization.id}/${path.slice(0, -1).join("/")}/`];
  }
  const service = action.slice(0, action.indexOf(":"));
  for (const [name, value] of Object.entries(resource.tags ?? {})) {
    context[`aws:ResourceTag/${name}`] = value;
    if (servicesWithOwnTagKey.has(service)) context[`${service}:ResourceTag/${name}`] = value;
  }
  return { ...context, ...resource.context };
}

/** Services whose own `<service>:ResourceTag/` key says the same as the global one. */
const servicesWithOwnTagKey = new Set(["ec2", "iam", "ssm"]);
