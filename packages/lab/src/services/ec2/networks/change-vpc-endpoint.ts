import type {
  DeleteVpcEndpointsCommandInput,
  ModifyVpcEndpointCommandInput,
  UnsuccessfulItem,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { securityGroupAccess, subnetAccess } from "../shared/resource-access.ts";
import { fullAccessPolicy, readEndpointPolicy } from "./endpoint-policy.ts";
import { findRouteTable, findSecurityGroup, findSubnet, findVpc, findVpcEndpoint } from "./find-network.ts";
import { routeTableAccess, vpcEndpointAccess } from "./network-access.ts";
import type { VpcEndpointRecord } from "./network-records.ts";
import {
  addEndpointInterface,
  addEndpointRoute,
  checkPrivateDns,
  checkZones,
  invalid,
  removeEndpointRoute,
} from "./vpc-endpoint-parts.ts";

export function modifyVpcEndpoint(input: ModifyVpcEndpointCommandInput, call: Call): object {
  if (input.VpcEndpointId === undefined) throw missingParameter("VpcEndpointId");
  const endpoint = findVpcEndpoint(call, input.VpcEndpointId);
  permitChange(input, call, endpoint);
  checkChange(input, call, endpoint);
  const policyDocument =
    input.ResetPolicy === true
      ? fullAccessPolicy
      : readEndpointPolicy(input.PolicyDocument ?? endpoint.policyDocument);
  for (const id of input.RemoveRouteTableIds ?? []) removeEndpointRoute(call, endpoint.vpcEndpointId, id);
  for (const id of input.AddRouteTableIds ?? []) addEndpointRoute(call, endpoint, findRouteTable(call, id));
  const securityGroupIds = changed(
    endpoint.securityGroupIds,
    input.AddSecurityGroupIds,
    input.RemoveSecurityGroupIds,
  );
  const next: VpcEndpointRecord = {
    ...endpoint,
    policyDocument,
    routeTableIds: changed(endpoint.routeTableIds, input.AddRouteTableIds, input.RemoveRouteTableIds),
    securityGroupIds,
    privateDns: input.PrivateDnsEnabled ?? endpoint.privateDns,
    ...moveInterfaces(input, call, { ...endpoint, securityGroupIds }),
  };
  call.lab.ec2.tables.vpcEndpoints.put(endpoint.vpcEndpointId, next);
  return { Return: true };
}

function permitChange(input: ModifyVpcEndpointCommandInput, call: Call, endpoint: VpcEndpointRecord): void {
  const tables = [...(input.AddRouteTableIds ?? []), ...(input.RemoveRouteTableIds ?? [])];
  const subnets = [...(input.AddSubnetIds ?? []), ...(input.RemoveSubnetIds ?? [])];
  const groups = [...(input.AddSecurityGroupIds ?? []), ...(input.RemoveSecurityGroupIds ?? [])];
  const resources = [
    vpcEndpointAccess(call, endpoint),
    ...tables.map((id) => routeTableAccess(call, findRouteTable(call, id))),
    ...subnets.map((id) => subnetAccess(call, findSubnet(call, id))),
    ...groups.map((id) => securityGroupAccess(call, findSecurityGroup(call, id))),
  ];
  permit(call, input.DryRun, [{ action: "ec2:ModifyVpcEndpoint", resources }]);
}

function checkChange(input: ModifyVpcEndpointCommandInput, call: Call, endpoint: VpcEndpointRecord): void {
  const added = [
    ...(input.AddSubnetIds ?? []).map((id) => findSubnet(call, id)),
    ...(input.AddSecurityGroupIds ?? []).map((id) => findSecurityGroup(call, id)),
  ];
  if (endpoint.type === "Gateway" && added.length > 0)
    throw invalid("Subnets and security groups can't be specified for a gateway endpoint");
  if (endpoint.type === "Interface" && input.AddRouteTableIds?.length)
    throw invalid("Route table IDs are only supported for Gateway type VPC Endpoint.");
  if (added.some(({ vpcId }) => vpcId !== endpoint.vpcId))
    throw invalid(`Subnets and security groups must belong to ${endpoint.vpcId}`);
  checkZones(
    changed(endpoint.subnetIds, input.AddSubnetIds, input.RemoveSubnetIds).map((id) => findSubnet(call, id)),
  );
  if (input.PrivateDnsEnabled !== true || endpoint.privateDns) return;
  if (endpoint.type === "Gateway") throw invalid("Private DNS can't be enabled for a gateway endpoint");
  checkPrivateDns(call, findVpc(call, endpoint.vpcId), endpoint.serviceName);
}

/** Its interfaces follow the subnets and take the groups as they are now. */
function moveInterfaces(
  input: ModifyVpcEndpointCommandInput,
  call: Call,
  endpoint: VpcEndpointRecord,
): Pick<VpcEndpointRecord, "subnetIds" | "networkInterfaceIds"> {
  const { networkInterfaces } = call.lab.ec2.tables;
  const removed = new Set(input.RemoveSubnetIds);
  const kept = endpoint.networkInterfaceIds.filter((id) => {
    const nic = networkInterfaces.get(id);
    if (nic === undefined) return false;
    if (removed.has(nic.subnetId)) networkInterfaces.delete(id);
    else networkInterfaces.put(id, { ...nic, securityGroupIds: endpoint.securityGroupIds });
    return !removed.has(nic.subnetId);
  });
  const known = new Set(endpoint.subnetIds);
  const added = (input.AddSubnetIds ?? []).filter((id) => !known.has(id));
  return {
    subnetIds: changed(endpoint.subnetIds, added, input.RemoveSubnetIds),
    networkInterfaceIds: [
      ...kept,
      ...added.map((id) => addEndpointInterface(call, endpoint, findSubnet(call, id))),
    ],
  };
}

function changed(
  ids: readonly string[],
  added: readonly string[] = [],
  removed: readonly string[] = [],
): readonly string[] {
  return [...new Set([...ids, ...added])].filter((id) => !removed.includes(id));
}

/** One that isn't there, or may not be deleted, doesn't keep the others: it is told in the answer. */
export function deleteVpcEndpoints(input: DeleteVpcEndpointsCommandInput, call: Call): object {
  const ids = input.VpcEndpointIds ?? [];
  if (ids.length === 0) throw missingParameter("VpcEndpointId");
  const failed: UnsuccessfulItem[] = [];
  for (const id of ids) {
    try {
      deleteEndpoint(input, call, id);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "InvalidVpcEndpointId.NotFound") throw error;
      permit(call, input.DryRun, [
        {
          action: "ec2:DeleteVpcEndpoints",
          resources: [
            {
              arn: `arn:${call.partition}:ec2:${call.region}:${call.accountId}:vpc-endpoint/${id}`,
              accountId: call.accountId,
            },
          ],
          context: { "ec2:Region": call.region },
        },
      ]);
      failed.push({ ResourceId: id, Error: { Code: error.code, Message: error.message } });
    }
  }
  return { Unsuccessful: failed };
}

function deleteEndpoint(input: DeleteVpcEndpointsCommandInput, call: Call, id: string): void {
  const endpoint = findVpcEndpoint(call, id);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteVpcEndpoints", resources: [vpcEndpointAccess(call, endpoint)] },
  ]);
  const { lab } = call;
  const { vpcEndpoints, networkInterfaces } = lab.ec2.tables;
  for (const routeTableId of endpoint.routeTableIds) removeEndpointRoute(call, id, routeTableId);
  for (const nic of endpoint.networkInterfaceIds) networkInterfaces.delete(nic);
  vpcEndpoints.put(id, { ...endpoint, networkInterfaceIds: [], state: "deleting" });
  lab.ec2.later(lab.ec2.settings.transitionMs, () => void vpcEndpoints.delete(id));
}
