import type { LinkFinding } from "../chain-report.ts";
import type { ChainSubject } from "../chain-subjects.ts";
import { checkGrants } from "../check-grants.ts";
import { checkInstanceProfile } from "../check-instance-profile.ts";
import { checkApplianceTrust, checkEc2Trust } from "../check-role-trust.ts";
import type { CallerFacts, Call, Prober, RoleProbe } from "../prober.ts";
import type { SeenPolicies } from "../seen-policies.ts";

export interface OperatorCheck {
  readonly subject: ChainSubject;
  /** The appliance, which is asked about and doesn't ask. */
  readonly caller: CallerFacts;
  readonly prober: Prober;
  /** Asks IAM with the operator's own rights. */
  readonly probe: RoleProbe;
  readonly policies: SeenPolicies;
}

/** Every link of one role that can be known without being the appliance: all but assuming it. */
export async function checkAsOperator(
  { caller, policies, probe, prober, subject }: OperatorCheck,
  call: Call,
): Promise<readonly LinkFinding[]> {
  const { role } = subject;
  const read = await probe.getRole(subject.roleArn, call);
  const trust =
    read.outcome === "known"
      ? ({
          outcome: "known",
          value: { document: read.value.trust, knownBy: "read by the operator" },
        } as const)
      : read;
  return [
    ...(role.trusts.includes("appliance")
      ? checkApplianceTrust(
          { prober, caller, launcher: undefined, sessionPolicies: [], withExcess: false },
          subject,
          trust,
        )
      : []),
    ...(role.hasInstanceProfile
      ? await checkInstanceProfile({ probe, launcher: undefined }, subject, call)
      : []),
    ...(role.trusts.includes("ec2") ? checkEc2Trust(subject, trust) : []),
    ...(await checkGrants({ probe, policies }, subject, call)),
  ];
}
