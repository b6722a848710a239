import { DescribeSubnetsCommand, DescribeVpcEndpointsCommand, type EC2Client } from "@aws-sdk/client-ec2";
import type { EndpointPolicies } from "@garrison/roles/policy-reader";
import type { Call } from "@garrison/roles/prober";

/** The policies of the endpoints in the subnet's VPC, by the service that each leads to. */
export async function readEndpointPolicies(
  ec2: EC2Client,
  subnetId: string,
  { signal: abortSignal }: Call,
): Promise<EndpointPolicies> {
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }), { abortSignal });
  const vpcId = Subnets?.[0]?.VpcId ?? "";
  const policies: Record<string, { readonly name: string; readonly policy: object }> = {};
  let NextToken: string | undefined;
  do {
    const command = new DescribeVpcEndpointsCommand({
      Filters: [{ Name: "vpc-id", Values: [vpcId] }],
      NextToken,
    });
    const page = await ec2.send(command, { abortSignal });
    for (const { PolicyDocument, ServiceName, VpcEndpointId } of page.VpcEndpoints ?? []) {
      // com.amazonaws.eu-central-1.sqs, in China with "cn." in front.
      const service = ServiceName?.split(".").at(-1);
      if (service === undefined || PolicyDocument === undefined) continue;
      policies[service] = {
        name: VpcEndpointId ?? service,
        policy: JSON.parse(PolicyDocument) as object,
      };
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== "");
  return policies;
}
