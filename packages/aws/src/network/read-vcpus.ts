import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  type EC2Client,
  type Instance,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import { GetServiceQuotaCommand } from "@aws-sdk/client-service-quotas";
import { isStandardType, standardVcpuQuota } from "@garrison/roles/network/judge-vcpus";
import type { Read, VcpuFacts } from "@garrison/roles/network/network-facts";
import type { AwsClients } from "../aws-clients.ts";
import type { AwsCall } from "../ec2/named-call.ts";

/** 1,000 instances each. */
const mostPages = 20;

/** The account's vCPU quota in the Region, what of it is in use, and what a worker of this type would take. */
export async function readVcpus(
  clients: Pick<AwsClients, "ec2" | "serviceQuotas">,
  instanceType: string,
  call: AwsCall,
): Promise<Read<VcpuFacts>> {
  if (!isStandardType(instanceType))
    return { unread: `Not known: a quota other than the standard one limits ${instanceType}.` };
  const { serviceCode, quotaCode } = standardVcpuQuota;
  const command = new GetServiceQuotaCommand({ ServiceCode: serviceCode, QuotaCode: quotaCode });
  const { Quota } = await clients.serviceQuotas().send(command, { abortSignal: call.signal });
  const running = await countRunning(clients.ec2(), call);
  if (running === undefined) {
    return { unread: `Not known: more than ${mostPages * 1000} instances run, which were not counted.` };
  }
  const needed = await countNeeded(clients.ec2(), instanceType, call);
  return { known: { limit: Quota?.Value ?? 0, running, needed } };
}

async function countRunning(ec2: EC2Client, { signal }: AwsCall): Promise<number | undefined> {
  let vcpus = 0;
  let NextToken: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const command = new DescribeInstancesCommand({ Filters, MaxResults: 1000, NextToken });
    const answer = await ec2.send(command, { abortSignal: signal });
    for (const { Instances } of answer.Reservations ?? [])
      for (const one of Instances ?? []) vcpus += vcpusOf(one);
    NextToken = answer.NextToken === "" ? undefined : answer.NextToken;
    if (NextToken === undefined) return vcpus;
  }
  return undefined;
}

/** Spot instances have a quota of their own. */
function vcpusOf({ CpuOptions, InstanceLifecycle, InstanceType }: Instance): number {
  if (InstanceLifecycle !== undefined || !isStandardType(InstanceType ?? "")) return 0;
  return (CpuOptions?.CoreCount ?? 0) * (CpuOptions?.ThreadsPerCore ?? 1);
}

async function countNeeded(ec2: EC2Client, instanceType: string, { signal }: AwsCall): Promise<number> {
  const command = new DescribeInstanceTypesCommand({ InstanceTypes: [instanceType as _InstanceType] });
  const { InstanceTypes } = await ec2.send(command, { abortSignal: signal });
  return InstanceTypes?.[0]?.VCpuInfo?.DefaultVCpus ?? 0;
}
