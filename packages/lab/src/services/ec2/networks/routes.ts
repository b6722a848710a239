import type {
  CreateRouteCommandInput,
  DeleteRouteCommandInput,
  ReplaceRouteCommandInput,
  Route as AwsRoute,
} from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { parseCidr } from "./addresses.ts";
import { findInternetGateway, findNatGateway, findRouteTable } from "./find-network.ts";
import { routeTableAccess } from "./network-access.ts";
import type { Route, RouteTableRecord } from "./network-records.ts";

export function createRoute(input: CreateRouteCommandInput, call: Call): object {
  const table = openTable(input, call, "ec2:CreateRoute");
  const route = readRoute(input, call, table);
  if (table.routes.some(({ destination }) => destination === route.destination)) {
    const message = `The route identified by ${route.destination} already exists.`;
    throw new AwsError("RouteAlreadyExists", message);
  }
  putRoutes(call, table, [...table.routes, route]);
  return { Return: true };
}

export function replaceRoute(input: ReplaceRouteCommandInput, call: Call): object {
  const table = openTable(input, call, "ec2:ReplaceRoute");
  const route = readRoute(input, call, table);
  const replaced = ownRoute(table, route.destination);
  putRoutes(
    call,
    table,
    table.routes.map((one) => (one === replaced ? route : one)),
  );
  return {};
}

export function deleteRoute(input: DeleteRouteCommandInput, call: Call): object {
  const table = openTable(input, call, "ec2:DeleteRoute");
  const deleted = ownRoute(table, readDestination(input));
  putRoutes(
    call,
    table,
    table.routes.filter((route) => route !== deleted),
  );
  return {};
}

interface RouteInput {
  readonly DryRun?: boolean | undefined;
  readonly RouteTableId?: string | undefined;
  readonly DestinationCidrBlock?: string | undefined;
  readonly GatewayId?: string | undefined;
  readonly NatGatewayId?: string | undefined;
}

function openTable(input: RouteInput, call: Call, action: string): RouteTableRecord {
  if (input.RouteTableId === undefined) throw missingParameter("routeTableId");
  const table = findRouteTable(call, input.RouteTableId);
  permit(call, input.DryRun, [{ action, resources: [routeTableAccess(call, table)] }]);
  return table;
}

function readDestination({ DestinationCidrBlock }: RouteInput): string {
  if (DestinationCidrBlock === undefined) throw missingParameter("destinationCidrBlock");
  parseCidr(DestinationCidrBlock);
  return DestinationCidrBlock;
}

function readRoute(input: RouteInput, call: Call, table: RouteTableRecord): Route {
  const destination = readDestination(input);
  return { destination, target: readTarget(input, call, table), origin: "CreateRoute" };
}

function readTarget({ GatewayId, NatGatewayId }: RouteInput, call: Call, table: RouteTableRecord): string {
  if (NatGatewayId !== undefined) {
    const nat = findNatGateway(call, NatGatewayId);
    if (nat.vpcId === table.vpcId) return NatGatewayId;
    throw differentNetworks(table.routeTableId, NatGatewayId);
  }
  if (GatewayId === undefined) {
    throw invalidParameter("The lab's routes lead to an internet gateway or a NAT gateway; none was given.");
  }
  const gateway = findInternetGateway(call, GatewayId);
  if (gateway.vpcId === table.vpcId) return GatewayId;
  throw differentNetworks(table.routeTableId, GatewayId);
}

function differentNetworks(routeTableId: string, gatewayId: string): AwsError {
  const message = `route table ${routeTableId} and network gateway ${gatewayId} belong to different networks`;
  return new AwsError("InvalidParameterValue", message);
}

/** Local routes and those of endpoints aren't the caller's to change. */
function ownRoute(table: RouteTableRecord, destination: string): Route {
  const route = table.routes.find((one) => one.destination === destination);
  if (route === undefined) {
    const message = `no route with destination-cidr-block ${destination} in route table ${table.routeTableId}`;
    throw new AwsError("InvalidRoute.NotFound", message);
  }
  if (route.target !== "local") return route;
  throw invalidParameter(`cannot remove local route ${destination} in route table ${table.routeTableId}`);
}

function putRoutes(call: Call, table: RouteTableRecord, routes: readonly Route[]): void {
  call.lab.ec2.tables.routeTables.put(table.routeTableId, { ...table, routes });
}

/** A route whose target is gone is a black hole: it stays, and what takes it is lost. */
export function isRouteActive(lab: Lab, table: RouteTableRecord, { target }: Route): boolean {
  const { internetGateways, natGateways, vpcEndpoints } = lab.ec2.tables;
  if (target === "local") return true;
  if (target.startsWith("nat-")) return natGateways.get(target)?.state === "available";
  if (target.startsWith("vpce-")) return vpcEndpoints.get(target)?.state === "available";
  return internetGateways.get(target)?.vpcId === table.vpcId;
}

export function formatRoute(lab: Lab, table: RouteTableRecord, route: Route): AwsRoute {
  const { destination, target, origin } = route;
  return {
    ...(destination.startsWith("pl-")
      ? { DestinationPrefixListId: destination }
      : { DestinationCidrBlock: destination }),
    ...(target.startsWith("nat-") ? { NatGatewayId: target } : { GatewayId: target }),
    Origin: origin,
    State: isRouteActive(lab, table, route) ? "active" : "blackhole",
  };
}
