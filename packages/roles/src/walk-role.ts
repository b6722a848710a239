import { checkAssumeRole } from "./check-assume-role.ts";
import { checkLimits } from "./check-limits.ts";
import { checkGrants } from "./check-grants.ts";
import { checkInstanceProfile } from "./check-instance-profile.ts";
import type { Excess, LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { checkApplianceTrust, checkEc2Trust } from "./check-role-trust.ts";
import { listExcess } from "./list-excess.ts";
import type { Answer, Call, RoleFacts, RoleProbe } from "./prober.ts";
import { parseRoleArn } from "./role-arn.ts";
import type { RoleKnowledge, RoleWalk } from "./role-walk.ts";
import { readPolicies } from "./seen-policies.ts";

export interface WalkedRole {
  readonly probe: RoleProbe | undefined;
  readonly findings: readonly LinkFinding[];
  readonly excess: readonly Excess[];
}

/** All links of one role, in the order of the design. */
export async function walkRole(walk: RoleWalk, subject: ChainSubject, call: Call): Promise<WalkedRole> {
  const { externalId, roleArn } = subject;
  const assumed = await walk.prober.assume(assumeRequest(roleArn, externalId), call);
  const probe = assumed.outcome === "known" ? assumed.value : undefined;
  const policies = await readPolicies(walk.policyReader, subject, call);
  const trust = await readTrust({ walk, probe, policies }, subject, call);
  const findings = [
    ...(await checkAssumeRole({ walk, assumed, trust, policies }, subject, call)),
    ...checkApplianceTrust(walk, subject, trust),
    ...(subject.role.id === "worker"
      ? await checkInstanceProfile({ probe, launcher: walk.launcher }, subject, call)
      : []),
    ...(subject.role.trusts.includes("ec2") ? checkEc2Trust(subject, trust) : []),
    ...(await checkGrants({ probe, policies }, subject, call)),
  ];
  const limits = await walk.policyReader?.readAccountLimits(subject.accountId, call);
  const { sessionPolicies } = walk;
  const limited = checkLimits({ trust, policies, limits, findings, sessionPolicies }, subject);
  const excess = walk.withExcess ? await listExcess({ probe, policies }, subject, call) : [];
  return { probe, findings: [...findings, ...limited], excess };
}

function assumeRequest(roleArn: string, externalId: string | undefined) {
  return externalId === undefined ? { roleArn } : { roleArn, externalId };
}

/** The role's own word first; then an operator's; then what the launching role sees through the instance profile. */
async function readTrust(
  known: { readonly walk: RoleWalk } & Pick<RoleKnowledge, "probe" | "policies">,
  subject: ChainSubject,
  call: Call,
): Promise<RoleKnowledge["trust"]> {
  const own: Answer<RoleFacts> = (await known.probe?.getRole(subject.roleArn, call)) ?? {
    outcome: "unreachable",
    message: "the role can't be assumed",
  };
  if (own.outcome === "known")
    return { outcome: "known", value: { document: own.value.trust, knownBy: "read" } };
  if (known.policies !== undefined) {
    return { outcome: "known", value: { document: known.policies.trust, knownBy: "read by the operator" } };
  }
  if (subject.role.id !== "worker" || known.walk.launcher === undefined) return own;
  const profile = await known.walk.launcher.getInstanceProfile(parseRoleArn(subject.roleArn).roleName, call);
  const seen =
    profile.outcome === "known" ? profile.value.roles.find(({ arn }) => arn === subject.roleArn) : undefined;
  if (seen?.trust === undefined) return own;
  return { outcome: "known", value: { document: seen.trust, knownBy: "read in the instance profile" } };
}
