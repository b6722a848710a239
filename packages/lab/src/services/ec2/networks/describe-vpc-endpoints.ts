import type { DescribeVpcEndpointsCommandInput, State, VpcEndpoint } from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { noVpcEndpoint } from "./find-network.ts";
import type { VpcEndpointRecord } from "./network-records.ts";

const filters: FilterTable<VpcEndpointRecord> = {
  "vpc-endpoint-id": (endpoint) => endpoint.vpcEndpointId,
  "vpc-endpoint-type": (endpoint) => endpoint.type,
  "vpc-endpoint-state": (endpoint) => endpoint.state,
  "vpc-id": (endpoint) => endpoint.vpcId,
  "service-name": (endpoint) => endpoint.serviceName,
  "ip-address-type": () => "ipv4",
};

export function describeVpcEndpoints(input: DescribeVpcEndpointsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeVpcEndpoints");
  const named = selectRecords(call, call.lab.ec2.tables.vpcEndpoints, {
    named: input.VpcEndpointIds,
    missing: noVpcEndpoint,
  });
  const found = filterRecords(named, input.Filters, filters);
  const page = pageRecords(found, input, (endpoint) => endpoint.vpcEndpointId);
  return {
    VpcEndpoints: page.items.map((endpoint) => formatVpcEndpoint(call.lab, endpoint)),
    NextToken: page.NextToken,
  };
}

export function formatVpcEndpoint(lab: Lab, endpoint: VpcEndpointRecord): VpcEndpoint {
  const { accountId, vpcEndpointId, type } = endpoint;
  const isInterface = type === "Interface";
  return {
    VpcEndpointId: vpcEndpointId,
    VpcEndpointType: type,
    VpcId: endpoint.vpcId,
    ServiceName: endpoint.serviceName,
    // The SDK's model has capitals; what AWS answers hasn't.
    State: endpoint.state as string as State,
    PolicyDocument: endpoint.policyDocument,
    RouteTableIds: [...endpoint.routeTableIds],
    SubnetIds: [...endpoint.subnetIds],
    Groups: endpoint.securityGroupIds.map((id) => ({
      GroupId: id,
      GroupName: lab.ec2.tables.securityGroups.get(id)?.groupName,
    })),
    IpAddressType: "ipv4",
    DnsOptions: {
      DnsRecordIpType: isInterface ? "ipv4" : "service-defined",
      ...(endpoint.privateDnsInboundOnly === undefined
        ? {}
        : { PrivateDnsOnlyForInboundResolverEndpoint: endpoint.privateDnsInboundOnly }),
    },
    PrivateDnsEnabled: endpoint.privateDns,
    RequesterManaged: false,
    NetworkInterfaceIds: [...endpoint.networkInterfaceIds],
    DnsEntries: isInterface ? dnsEntries(endpoint) : [],
    CreationTimestamp: new Date(endpoint.createdAtMs),
    OwnerId: accountId,
    Tags: formatTags(endpoint.tags),
  };
}

function dnsEntries({ vpcEndpointId, serviceName, region, privateDns }: VpcEndpointRecord) {
  const service = serviceName.split(".").at(-1)!;
  const own = { DnsName: `${vpcEndpointId}.${service}.${region}.vpce.amazonaws.com` };
  return privateDns ? [own, { DnsName: `${service}.${region}.amazonaws.com` }] : [own];
}
