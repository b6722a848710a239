import type { Layer } from "@garrison/iam/evaluation-case";
import type { EvaluationResult } from "@garrison/iam/evaluation-case";

const policyNames: Readonly<Record<Layer, string>> = {
  identity: "identity-based policy",
  boundary: "permissions boundary",
  session: "session policy",
  resource: "resource-based policy",
  "kms-grant": "resource-based policy",
  acl: "access control list",
  "public-access-block": "public access block configuration",
  scp: "service control policy",
  rcp: "resource control policy",
  "vpc-endpoint": "VPC endpoint policy",
};

export interface Denial {
  readonly principalArn: string;
  readonly action: string;
  readonly resourceArn: string;
  readonly result: EvaluationResult;
}

/** The sentence that AWS answers a denied call with. */
export function denialMessage({ principalArn, action, resourceArn, result }: Denial): string {
  const layer = result.blockedBy[0] ?? "identity";
  const article = /^[aeiou]/.test(policyNames[layer]) ? "an" : "a";
  const because =
    result.decision === "ExplicitlyDenied"
      ? `with an explicit deny in ${article} ${policyNames[layer]}`
      : `because no ${policyNames[layer]} allows the ${action} action`;
  const on = resourceArn === "*" ? "" : ` on resource: ${resourceArn}`;
  return `User: ${principalArn} is not authorized to perform: ${action}${on} ${because}`;
}
