import type { ManagedPolicy } from "../../identity/identity-tables.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";

export function nameOfPolicyArn(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

/** A managed policy that the caller's account can use: its own, or AWS's. */
export function attachablePolicy(call: Call, arn: string): ManagedPolicy {
  const policy = call.lab.identity.managedPolicies.get(arn);
  if (policy === undefined || (policy.accountId !== call.accountId && policy.accountId !== "aws")) {
    throw new AwsError("NoSuchEntity", `Policy ${arn} does not exist or is not attachable.`, { status: 404 });
  }
  return policy;
}

/** How many users and roles of the account have it attached, and how many as their boundary. */
export function policyUses(
  call: Call,
  arn: string,
): { readonly attached: number; readonly boundaries: number } {
  const { roles, users } = call.lab.identity;
  let attached = 0;
  let boundaries = 0;
  for (const holder of [...roles.values(), ...users.values()]) {
    if (holder.accountId !== call.accountId) continue;
    if (holder.attachedPolicyArns.includes(arn)) attached += 1;
    if (holder.boundaryArn === arn) boundaries += 1;
  }
  return { attached, boundaries };
}
