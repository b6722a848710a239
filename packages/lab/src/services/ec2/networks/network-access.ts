import type { Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import { ec2Arn, vpcArn } from "../shared/resource-access.ts";
import type {
  InternetGatewayRecord,
  NatGatewayRecord,
  RouteTableRecord,
  VpcEndpointRecord,
  VpcRecord,
} from "./network-records.ts";

/*
 * How the parts of a network look to IAM. Without a record it is one that the call is about to make: `*` is its id, and it
 * has no tags.
 */

export function vpcAccess(call: Call, vpc: VpcRecord): ResourceAccess {
  const { accountId, tags, vpcId } = vpc;
  return {
    arn: vpcArn(call, vpc),
    accountId,
    tags,
    context: { "ec2:Region": call.region, "ec2:VpcID": vpcId },
  };
}

export function routeTableAccess(
  call: Call,
  table: Pick<RouteTableRecord, "accountId" | "vpcId"> & Partial<RouteTableRecord>,
): ResourceAccess {
  return part(call, "route-table", {
    ...table,
    id: table.routeTableId,
    context: {
      "ec2:Vpc": vpcArn(call, table),
      ...(table.routeTableId === undefined ? {} : { "ec2:RouteTableID": table.routeTableId }),
    },
  });
}

export function internetGatewayAccess(call: Call, gateway?: InternetGatewayRecord): ResourceAccess {
  const id = gateway?.internetGatewayId;
  return part(call, "internet-gateway", {
    ...(gateway ?? call),
    id,
    context: id === undefined ? {} : { "ec2:InternetGatewayID": id },
  });
}

export function natGatewayAccess(call: Call, gateway?: NatGatewayRecord): ResourceAccess {
  return part(call, "natgateway", { ...(gateway ?? call), id: gateway?.natGatewayId });
}

export function vpcEndpointAccess(
  call: Call,
  endpoint: Pick<VpcEndpointRecord, "accountId" | "serviceName"> & Partial<VpcEndpointRecord>,
): ResourceAccess {
  return part(call, "vpc-endpoint", {
    ...endpoint,
    id: endpoint.vpcEndpointId,
    context: { "ec2:VpceServiceName": endpoint.serviceName, "ec2:VpceServiceOwner": "amazon" },
  });
}

interface Part {
  readonly accountId: string;
  readonly id: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
  readonly context?: Readonly<Record<string, string>>;
}

function part(call: Call, type: string, { accountId, id, tags, context }: Part): ResourceAccess {
  return {
    arn: ec2Arn(call, { accountId, path: `${type}/${id ?? "*"}` }),
    accountId,
    ...(id === undefined || tags === undefined ? {} : { tags }),
    context: { "ec2:Region": call.region, ...context },
  };
}
