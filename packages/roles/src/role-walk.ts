import type { ChainSubject } from "./chain-subjects.ts";
import type { CollectedPolicies, PolicyReader } from "./policy-reader.ts";
import type { Answer, CallerFacts, Prober, RoleProbe } from "./prober.ts";
import { principalArnOf } from "./role-arn.ts";
import { applianceTrust } from "./trust-policy.ts";

export interface RoleWalk {
  readonly prober: Prober;
  readonly policyReader?: PolicyReader;
  readonly caller: CallerFacts;
  /** The role that launches the worker, once it is assumed: it may read the worker's instance profile. */
  readonly launcher: RoleProbe | undefined;
}

/** What was found out about one role before its links are judged. */
export interface RoleKnowledge {
  readonly probe: RoleProbe | undefined;
  readonly policies: CollectedPolicies | undefined;
  readonly trust: Answer<{ readonly document: object; readonly knownBy: string }>;
}

/** The statement by which the role would trust the appliance. */
export function trustFix(caller: CallerFacts, subject: ChainSubject): Readonly<Record<string, unknown>> {
  const { ec2Principals, partition } = subject.values;
  const statement = applianceTrust(subject.role, {
    partition,
    ec2Principals,
    backupAccount: caller.accountId,
    applianceArn: principalArnOf(caller.arn),
    externalId: subject.externalId ?? "EXTERNAL_ID",
  });
  return { ...statement };
}
