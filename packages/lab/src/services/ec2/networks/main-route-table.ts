import type { Lab } from "../../../lab.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import type { Route, RouteTableRecord, VpcRecord } from "./network-records.ts";

/** The table every VPC has. That of a default VPC leads to the internet, by a gateway of its own. */
export function createMainRouteTable(lab: Lab, vpc: VpcRecord): RouteTableRecord {
  const { vpcId, accountId, region } = vpc;
  const routes: Route[] = [{ destination: vpc.cidr, target: "local", origin: "CreateRouteTable" }];
  if (vpc.isDefault)
    routes.push({ destination: "0.0.0.0/0", target: attachNewGateway(lab, vpc), origin: "CreateRoute" });
  const table: RouteTableRecord = {
    routeTableId: newResourceId(lab.random, "rtb"),
    vpcId,
    accountId,
    region,
    routes,
    associations: [{ associationId: newResourceId(lab.random, "rtbassoc") }],
    tags: {},
  };
  lab.ec2.tables.routeTables.put(table.routeTableId, table);
  return table;
}

/** Networks that a lab made before it had routes get theirs. */
export function addMissingRouteTables(lab: Lab): void {
  const { routeTables, vpcs } = lab.ec2.tables;
  const routed = new Set([...routeTables.values()].map(({ vpcId }) => vpcId));
  for (const vpc of vpcs.values()) if (!routed.has(vpc.vpcId)) createMainRouteTable(lab, vpc);
}

function attachNewGateway(lab: Lab, { vpcId, accountId, region }: VpcRecord): string {
  const internetGatewayId = newResourceId(lab.random, "igw");
  lab.ec2.tables.internetGateways.put(internetGatewayId, {
    internetGatewayId,
    accountId,
    region,
    vpcId,
    tags: {},
  });
  return internetGatewayId;
}
