import type { NetworkFacts } from "./network-facts.ts";
import type { NetworkFinding } from "./network-finding.ts";

/** "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", counted in vCPUs for a Region of an account. */
export const standardVcpuQuota = { serviceCode: "ec2", quotaCode: "L-1216C47A" } as const;

const standardFamilies: ReadonlySet<string> = new Set("a c d h i im is m r t z".split(" "));

/** Whether the quota is about this type: other families have quotas of their own. */
export function isStandardType(instanceType: string): boolean {
  return standardFamilies.has(/^[a-z]+/.exec(instanceType)?.[0] ?? "");
}

/** Whether one more worker may run beside what runs. */
export function judgeVcpus({
  instanceType,
  region,
  vcpus,
}: Pick<NetworkFacts, "instanceType" | "region" | "vcpus">): NetworkFinding {
  const check = "vCPU quota";
  if ("unread" in vcpus) return { check, verdict: "unknown", sentence: vcpus.unread };
  const { limit, needed, running } = vcpus.known;
  const used = `${running} of ${limit} vCPUs are in use in ${region}`;
  if (running + needed <= limit) {
    return { check, verdict: "passed", sentence: `${used}; ${instanceType} needs ${needed}.` };
  }
  const { quotaCode, serviceCode } = standardVcpuQuota;
  return {
    check,
    verdict: "failed",
    sentence: `${used}: there is no room for the ${needed} of ${instanceType}.`,
    fix: `aws service-quotas request-service-quota-increase --region ${region} --service-code ${serviceCode} --quota-code ${quotaCode} --desired-value ${running + needed}`,
  };
}
