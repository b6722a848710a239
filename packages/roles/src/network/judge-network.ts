import { judgeService, workerServices } from "./judge-service.ts";
import { judgeVcpus } from "./judge-vcpus.ts";
import type { NetworkFacts } from "./network-facts.ts";
import type { NetworkFinding } from "./network-finding.ts";

/** An address for the worker; AWS keeps five of each subnet for itself and does not count them as free. */
const addressesNeeded = 1;

/** Judges from what was read whether a worker could be launched in this subnet and reach what it calls. Changes nothing. */
export function judgeNetwork(facts: NetworkFacts): readonly NetworkFinding[] {
  return [
    judgeAddresses(facts),
    judgeType(facts),
    judgeVcpus(facts),
    judgeDefaultKey(facts),
    judgeDns(facts),
    ...workerServices.map((service) => judgeService(facts, service)),
  ];
}

function judgeAddresses({ subnetId, freeAddresses }: NetworkFacts): NetworkFinding {
  const check = "free addresses";
  if (freeAddresses >= addressesNeeded) {
    return { check, verdict: "passed", sentence: `${subnetId} has ${freeAddresses} free addresses.` };
  }
  return {
    check,
    verdict: "failed",
    sentence: `${subnetId} has no free address for a worker.`,
    fix: "Choose another subnet, or release network interfaces in this one.",
  };
}

function judgeType({ isTypeOffered, instanceType, zone }: NetworkFacts): NetworkFinding {
  const check = "instance type";
  if ("unread" in isTypeOffered) return { check, verdict: "unknown", sentence: isTypeOffered.unread };
  if (isTypeOffered.known) {
    return { check, verdict: "passed", sentence: `${instanceType} is offered in ${zone}.` };
  }
  return {
    check,
    verdict: "failed",
    sentence: `${instanceType} is not offered in ${zone}.`,
    fix: "Choose another instance type in the worker configuration, or a subnet in another zone.",
  };
}

/** With a key that can't be used RunInstances succeeds, and the instance dies at once with `Client.InternalError`. */
function judgeDefaultKey({ defaultKey }: NetworkFacts): NetworkFinding {
  const check = "encryption by default";
  if ("unread" in defaultKey) return { check, verdict: "unknown", sentence: defaultKey.unread };
  const key = defaultKey.known;
  if (key === undefined) return { check, verdict: "passed", sentence: "New volumes need no key." };
  if (key.endsWith("alias/aws/ebs")) {
    return { check, verdict: "passed", sentence: "New volumes are encrypted with AWS's own key." };
  }
  return {
    check,
    verdict: "unknown",
    sentence: `New volumes are encrypted with ${key}: without rights on it the worker dies right after its launch.`,
    fix: `Allow the launching role kms:CreateGrant (with kms:GrantIsForAWSResource), kms:Decrypt and kms:GenerateDataKeyWithoutPlaintext on ${key}, in its own policy and in the key's.`,
  };
}

function judgeDns({ dns, vpcId }: NetworkFacts): NetworkFinding {
  const check = "DNS";
  if ("unread" in dns) return { check, verdict: "unknown", sentence: dns.unread };
  if (dns.known.support) return { check, verdict: "passed", sentence: `${vpcId} answers DNS queries.` };
  return {
    check,
    verdict: "failed",
    sentence: `enableDnsSupport of ${vpcId} is off: a worker there can't find any AWS service by its name.`,
    fix: `aws ec2 modify-vpc-attribute --vpc-id ${vpcId} --enable-dns-support Value=true`,
  };
}
