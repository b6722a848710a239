import { DescribeInstanceInformationCommand } from "@aws-sdk/client-ssm";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "../ec2/named-call.ts";

/** Whether the instance's agent has registered with Systems Manager and answers. */
export async function isManagedInstanceOnline(
  clients: AwsClients,
  instanceId: string,
  call: AwsCall,
): Promise<boolean> {
  const command = new DescribeInstanceInformationCommand({
    Filters: [{ Key: "InstanceIds", Values: [instanceId] }],
  });
  const answer = await namedCall(
    `asking Systems Manager for ${instanceId}`,
    clients.ssm().send(command, { abortSignal: call.signal }),
  );
  return answer.InstanceInformationList?.[0]?.PingStatus === "Online";
}
