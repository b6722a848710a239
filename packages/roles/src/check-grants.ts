import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { grantProbes, type GrantProbe } from "./grant-probes.ts";
import { judgeAction } from "./judge-action.ts";
import { foreignKeys, knownContextKeys } from "./known-context-keys.ts";
import type { Call, RoleProbe } from "./prober.ts";
import type { SeenPolicies } from "./seen-policies.ts";
import { simulateProbes, type SimulatedProbes } from "./simulate-probes.ts";
import { summarizeGrants } from "./summarize-grants.ts";

export interface GrantSources {
  /** Absent when the role can't be assumed. */
  readonly probe: RoleProbe | undefined;
  /** Absent when nobody with read rights is there. */
  readonly policies: SeenPolicies | undefined;
}

/**
 * Asks for every right that the role has to have: the simulator with the role's own credentials and, where the policies
 * are readable, the evaluator over them. A right is missing when either says so. One finding for each missing action of a
 * grant; what is there is summed up.
 */
export async function checkGrants(
  sources: GrantSources,
  subject: ChainSubject,
  call: Call,
): Promise<readonly LinkFinding[]> {
  const probes = grantProbes(subject);
  const simulated = await simulateWith(sources.probe, subject, { probes, call });
  const knownKeys = knownContextKeys();
  const judging = { policies: sources.policies, subject, simulated, knownKeys };
  const judged = probes.flatMap((probe) =>
    probe.actions.map((action) => judgeAction(judging, probe, action)),
  );
  const tested = (await sources.probe?.contextKeys(subject.roleArn, call)) ?? { outcome: "missing" };
  const foreign = tested.outcome === "known" ? foreignKeys(tested.value, knownKeys) : [];
  return [
    ...withoutRepeats(judged.flatMap(({ finding }) => finding ?? [])),
    ...judged.flatMap(({ disagreement }) => disagreement ?? []),
    ...simulatorFinding(subject, simulated),
    ...summarizeGrants(subject, judged, foreign),
  ];
}

/** One statement that denies an action denies it on every resource: said once. What misses an allow has its own mend. */
function withoutRepeats(findings: readonly LinkFinding[]): readonly LinkFinding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    if (finding.fix !== undefined) return true;
    const key = JSON.stringify([finding.action, finding.statement]);
    return !seen.has(key) && seen.add(key);
  });
}

async function simulateWith(
  probe: RoleProbe | undefined,
  subject: ChainSubject,
  asked: { readonly probes: readonly GrantProbe[]; readonly call: Call },
): Promise<SimulatedProbes> {
  if (probe === undefined) return { decision: () => undefined };
  return simulateProbes({ probe, roleArn: subject.roleArn }, asked.probes, asked.call);
}

/** Without the simulator nothing is known about rights; its own missing right is what has to be mended first. */
function simulatorFinding(subject: ChainSubject, simulated: SimulatedProbes): readonly LinkFinding[] {
  if (simulated.failure === undefined) return [];
  const { message, outcome } = simulated.failure;
  const action = "iam:SimulatePrincipalPolicy";
  const base = { link: "grants", subject: subject.roleArn, knownBy: ["executed"], action } as const;
  if (outcome !== "refused") {
    return [
      {
        ...base,
        verdict: "unknown",
        sentence: `IAM's simulator gave no answer for ${subject.roleArn}: ${message}`,
      },
    ];
  }
  const fix = { Sid: "CheckItself", Effect: "Allow", Action: [action], Resource: [subject.roleArn] };
  const statement = { layer: "identity", policy: policyOfCheck(subject), accountId: subject.accountId };
  const sentence = `${subject.roleArn} may not simulate its own rights: ${action} on itself is refused, so its other rights can't be checked.`;
  return [{ ...base, verdict: "failed", sentence, resource: subject.roleArn, statement, fix }];
}

function policyOfCheck(subject: ChainSubject): string {
  return subject.role.id === "worker" ? "garrison-worker" : "garrison-role-check";
}
