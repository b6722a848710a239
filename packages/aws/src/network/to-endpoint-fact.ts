import type { VpcEndpoint } from "@aws-sdk/client-ec2";
import type { EndpointFact } from "@garrison/roles/network/network-facts";

export function toEndpointFact(endpoint: VpcEndpoint): EndpointFact {
  return {
    endpointId: endpoint.VpcEndpointId ?? "",
    // com.amazonaws.eu-central-1.sqs, in China with "cn." in front.
    service: endpoint.ServiceName?.split(".").at(-1) ?? "",
    type: endpoint.VpcEndpointType === "Gateway" ? "Gateway" : "Interface",
    // The SDK's "available" is "Available" in its list of values.
    state: (endpoint.State ?? "unknown").toLowerCase(),
    hasPrivateDns: endpoint.PrivateDnsEnabled === true,
    subnetIds: endpoint.SubnetIds ?? [],
    routeTableIds: endpoint.RouteTableIds ?? [],
    groupIds: (endpoint.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
  };
}
