import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { StatementDocument } from "@garrison/iam/policy-document";
import type { SessionPolicySize } from "./chain-request.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import type { TrustVerdict } from "./check-trust.ts";
import type { PolicyReader } from "./policy-reader.ts";
import type { Answer, CallerFacts, Prober, RoleProbe } from "./prober.ts";
import { principalArnOf } from "./role-arn.ts";
import type { SeenPolicies } from "./seen-policies.ts";
import { applianceTrust } from "./trust-policy.ts";

export interface RoleWalk {
  readonly prober: Prober;
  readonly policyReader?: PolicyReader;
  readonly caller: CallerFacts;
  /** The role that launches the worker, once it is assumed: it may read the worker's instance profile. */
  readonly launcher: RoleProbe | undefined;
  readonly sessionPolicies: readonly SessionPolicySize[];
  readonly withExcess: boolean;
}

/** What was found out about one role before its links are judged. */
export interface RoleKnowledge {
  readonly probe: RoleProbe | undefined;
  readonly policies: SeenPolicies | undefined;
  readonly trust: Answer<{ readonly document: object; readonly knownBy: string }>;
}

/** One attempt to become the role, and what is known about the role besides. */
export interface Attempt extends Pick<RoleKnowledge, "trust" | "policies"> {
  readonly walk: RoleWalk;
  readonly assumed: Answer<RoleProbe>;
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

/**
 * The change of the trust policy that mends it. A statement that bears our Sid is replaced; others may serve somebody
 * else, and ours is added beside them.
 */
export function trustPatches(
  subject: ChainSubject,
  said: TrustVerdict,
  fix: Readonly<Record<string, unknown>>,
): readonly PolicyPatch[] {
  if (said.patches !== undefined) return said.patches;
  const statement = fix as unknown as StatementDocument;
  const trust = { layer: "resource", policy: "trust policy", accountId: subject.accountId } as const;
  const { sid, statementIndex: index } = said.statement ?? {};
  if (index === undefined || sid === undefined || sid !== statement.Sid) {
    return [{ ...trust, change: "add", statement }];
  }
  return [{ ...trust, change: "replace", index, sid, statement }];
}
