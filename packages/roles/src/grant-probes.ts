import type { ChainSubject } from "./chain-subjects.ts";
import type { Grant } from "./grant.ts";
import { fillConditions, isGlobal, isUnmeetable } from "./grant-statement.ts";
import { fillTemplate } from "./role-values.ts";
import { sampleResource, sampleValue } from "./sample-values.ts";

/** One question to IAM: these actions on these resources in this context, all asked for by one grant. */
export interface GrantProbe {
  readonly grant: Grant;
  readonly operation: string;
  readonly actions: readonly string[];
  /** Concrete: every `*` of the grant is filled with a plausible id. */
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** What a role has to answer yes to; a grant whose resources the request doesn't name is left out. */
export function grantProbes(subject: ChainSubject): readonly GrantProbe[] {
  const asked = new Set<string>();
  return subject.operations.flatMap((operation) =>
    operation.grants.flatMap((grant) => {
      const filled = grant.resources.flatMap((template) => fillTemplate(template, subject.values));
      const isMet = !isUnmeetable(fillConditions(grant.conditions ?? {}, subject.values));
      if (filled.length === 0 || !isMet || asked.has(grant.id)) return [];
      asked.add(grant.id);
      const probe = {
        grant,
        operation: operation.id,
        actions: grant.actions,
        resources: filled.map(sampleResource),
        context: probeContext(grant, subject),
      };
      return [probe];
    }),
  );
}

/**
 * The context that the real call will have, as far as it is known beforehand: what the grant's own conditions ask for,
 * and what every request carries.
 */
function probeContext(grant: Grant, subject: ChainSubject): GrantProbe["context"] {
  const [region = ""] = subject.values.region;
  const context: Record<string, string | readonly string[]> = {
    "aws:PrincipalArn": subject.roleArn,
    "aws:PrincipalAccount": subject.accountId,
    "aws:RequestedRegion": isGlobal(grant) ? subject.values.iamRegion : region,
    "aws:SecureTransport": "true",
    "aws:ViaAWSService": "false",
  };
  if (grant.actions.some((action) => action.startsWith("ec2:"))) context["ec2:Region"] = region;
  const conditions = fillConditions(grant.conditions ?? {}, subject.values);
  for (const [operator, keys] of Object.entries(conditions)) {
    // That a key is absent is said by leaving it out.
    if (operator === "Null") continue;
    for (const [key, value] of Object.entries(keys)) {
      const [first = ""] = [value].flat();
      context[key] = first.startsWith("arn:") ? sampleResource(first) : sampleValue(first);
    }
  }
  const tagKeys = Object.keys(context).flatMap((key) => /^aws:RequestTag\/(.+)$/.exec(key)?.[1] ?? []);
  return tagKeys.length === 0 ? context : { ...context, "aws:TagKeys": tagKeys };
}
