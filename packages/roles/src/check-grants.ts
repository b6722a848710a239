import type { LinkFinding, LinkName } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { evaluateProbe, type EvaluatedProbe } from "./evaluate-probe.ts";
import { explainSimulation, type Denial } from "./explain-simulation.ts";
import { grantStatement } from "./grant-statement.ts";
import { grantProbes, type GrantProbe } from "./grant-probes.ts";
import type { CollectedPolicies } from "./policy-reader.ts";
import type { Call, RoleProbe, SimulatedDecision } from "./prober.ts";
import { simulateProbes, type SimulatedProbes } from "./simulate-probes.ts";

export interface GrantSources {
  /** Absent when the role can't be assumed. */
  readonly probe?: RoleProbe;
  /** Absent when nobody with read rights is there. */
  readonly policies?: CollectedPolicies;
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
  const findings = probes.flatMap((probe) =>
    probe.actions.map((action) => judgeAction({ sources, subject, simulated }, probe, action)),
  );
  const foreignKeys = await foreignContextKeys(sources.probe, { subject, probes, call });
  return [
    ...withoutRepeats(findings.flatMap(({ finding }) => finding ?? [])),
    ...findings.flatMap(({ disagreement }) => disagreement ?? []),
    ...simulatorFinding(subject, simulated),
    ...summaries(subject, findings, foreignKeys),
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

interface JudgedAction {
  readonly probe: GrantProbe;
  readonly action: string;
  readonly verdict: "allowed" | "denied" | "unknown" | "not-asked";
  readonly knownBy: readonly string[];
  /** Present for what is missing or depends on something. */
  readonly finding?: LinkFinding;
  readonly disagreement?: LinkFinding;
}

interface Judging {
  readonly sources: GrantSources;
  readonly subject: ChainSubject;
  readonly simulated: SimulatedProbes;
}

async function simulateWith(
  probe: RoleProbe | undefined,
  subject: ChainSubject,
  asked: { readonly probes: readonly GrantProbe[]; readonly call: Call },
): Promise<SimulatedProbes> {
  if (probe === undefined) return { decision: () => undefined };
  return simulateProbes({ probe, roleArn: subject.roleArn }, asked.probes, asked.call);
}

/** The first resource on which the action is not allowed decides; otherwise it is allowed. */
function judgeAction(judging: Judging, probe: GrantProbe, action: string): JudgedAction {
  const judged = probe.resources.map((resource) => judgeResource(judging, probe, { action, resource }));
  const worst =
    judged.find(({ verdict }) => verdict === "denied") ??
    judged.find(({ verdict }) => verdict === "unknown") ??
    judged.find(({ verdict }) => verdict === "not-asked") ??
    judged[0];
  if (worst === undefined) throw new RangeError(`${probe.grant.id} has no resource`);
  return worst;
}

interface Pair {
  readonly action: string;
  readonly resource: string;
}

function judgeResource(judging: Judging, probe: GrantProbe, pair: Pair): JudgedAction {
  const { policies } = judging.sources;
  const simulated = judging.simulated.decision(probe, pair.action, pair.resource);
  const evaluated =
    policies === undefined ? undefined : evaluateProbe({ subject: judging.subject, policies }, probe, pair);
  const bySimulation = simulated === undefined ? undefined : simulatedVerdict(simulated);
  const verdict = worse(bySimulation, evaluated?.verdict);
  const knownBy = [
    ...(bySimulation === undefined ? [] : ["simulated"]),
    ...(evaluated === undefined ? [] : ["evaluated"]),
  ];
  const base = { probe, action: pair.action, verdict, knownBy };
  const disagreement = disagreementOf(judging, pair, { bySimulation, evaluated });
  const withDisagreement = disagreement === undefined ? base : { ...base, disagreement };
  if (verdict === "allowed" || verdict === "not-asked" || probe.grant.neededWhen !== undefined)
    return withDisagreement;
  const denial = denialOf(judging.subject, probe, { simulated, bySimulation, evaluated });
  return {
    ...withDisagreement,
    finding: findingOf(judging.subject, probe, { ...pair, ...denial, verdict, knownBy }),
  };
}

type Verdict = "allowed" | "denied" | "unknown";

/**
 * A denial that hangs on context which only the call itself will have is unknown. Keys that our own grants test are known
 * to the check: IAM lists them for statements that have nothing to do with this action.
 */
function simulatedVerdict(decided: SimulatedDecision): Verdict {
  if (decided.decision === "allowed") return "allowed";
  if (decided.decision === "explicitDeny") return "denied";
  return decided.missingContext.some((key) => !isOurKey(key)) ? "unknown" : "denied";
}

function isOurKey(key: string): boolean {
  return /^(aws:(RequestTag|ResourceTag)\/garrison:|aws:(PrincipalArn|PrincipalAccount|RequestedRegion|TagKeys|SecureTransport|ViaAWSService)$|ec2:(CreateAction|MetadataHttpTokens|Region|SourceInstanceARN)$|iam:PassedToService$|kms:ViaService$|s3:prefix$)/i.test(
    key,
  );
}

function worse(first: Verdict | undefined, second: Verdict | undefined): JudgedAction["verdict"] {
  const both = [first, second].filter((verdict) => verdict !== undefined);
  if (both.includes("denied")) return "denied";
  if (both.includes("unknown")) return "unknown";
  return both.length > 0 ? "allowed" : "not-asked";
}

interface BothWays {
  readonly simulated?: SimulatedDecision | undefined;
  readonly bySimulation: Verdict | undefined;
  readonly evaluated: EvaluatedProbe | undefined;
}

function denialOf(subject: ChainSubject, probe: GrantProbe, ways: BothWays): Denial {
  const { evaluated, simulated } = ways;
  if (evaluated !== undefined && evaluated.verdict !== "allowed") return evaluated;
  if (simulated === undefined) throw new RangeError("nothing denied this");
  if (ways.bySimulation === "denied") return explainSimulation(subject, probe, simulated);
  const keys = simulated.missingContext.filter((key) => !isOurKey(key)).join(", ");
  const sentence = `Whether ${subject.roleArn} may do ${simulated.action} on ${simulated.resource} depends on ${keys}, which only the call itself will have.`;
  return { sentence };
}

/** The simulator sees neither RCPs nor endpoint policies: a denial by these is no disagreement. */
function disagreementOf(judging: Judging, pair: Pair, ways: BothWays): LinkFinding | undefined {
  const { bySimulation, evaluated } = ways;
  if (bySimulation === undefined || evaluated === undefined) return undefined;
  if (bySimulation === "unknown" || evaluated.verdict === "unknown" || bySimulation === evaluated.verdict)
    return undefined;
  const hasGaps = (judging.sources.policies?.gaps.length ?? 0) > 0;
  if (evaluated.verdict === "allowed" && hasGaps) return undefined;
  const unseen = evaluated.result.blockedBy.every((layer) =>
    ["rcp", "resource", "vpc-endpoint"].includes(layer),
  );
  if (evaluated.verdict === "denied" && unseen) return undefined;
  return {
    link: linkOf(pair.action),
    subject: judging.subject.roleArn,
    verdict: "unknown",
    sentence: `IAM's simulator and the evaluation of the policies disagree about ${pair.action} on ${pair.resource}: ${bySimulation} and ${evaluated.verdict}.`,
    knownBy: ["simulated", "evaluated"],
    ...pair,
  };
}

function findingOf(
  subject: ChainSubject,
  probe: GrantProbe,
  found: Pair & Denial & Pick<JudgedAction, "verdict" | "knownBy">,
): LinkFinding {
  const statement = grantStatement(probe.grant, subject.values);
  const isMissing = found.statement?.layer === "identity" || found.statement?.layer === "boundary";
  return {
    link: linkOf(found.action),
    subject: subject.roleArn,
    verdict: found.verdict === "denied" ? "failed" : "unknown",
    sentence: found.sentence,
    knownBy: found.knownBy,
    action: found.action,
    resource: found.resource,
    ...(found.statement === undefined ? {} : { statement: found.statement }),
    ...(statement === undefined || !isMissing ? {} : { fix: { ...statement, Action: [found.action] } }),
  };
}

function linkOf(action: string): LinkName {
  return action === "iam:PassRole" ? "pass-role" : "grants";
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

function summaries(
  subject: ChainSubject,
  judged: readonly JudgedAction[],
  foreignKeys: readonly string[],
): readonly LinkFinding[] {
  const found: LinkFinding[] = [];
  for (const link of ["pass-role", "grants"] as const) {
    const own = judged.filter(({ action }) => linkOf(action) === link);
    const allowed = own.filter(({ verdict }) => verdict === "allowed");
    const base = { link, subject: subject.roleArn };
    const knownBy = [...new Set(allowed.flatMap((one) => one.knownBy))];
    if (allowed.length > 0)
      found.push({ ...base, verdict: "passed", knownBy, sentence: allowedSentence(link, subject, allowed) });
    const unasked = own.filter(
      ({ verdict, probe }) => verdict === "not-asked" && probe.grant.neededWhen === undefined,
    );
    if (unasked.length > 0) {
      const sentence = `Whether ${subject.roleArn} holds ${actionsOf(unasked)} is unknown: nothing could be asked in its name.`;
      found.push({ ...base, verdict: "unknown", knownBy: [], sentence });
    }
  }
  return [...found, ...optionalFindings(subject, judged), ...foreignKeyFinding(subject, foreignKeys)];
}

function allowedSentence(link: LinkName, subject: ChainSubject, allowed: readonly JudgedAction[]): string {
  if (link === "pass-role")
    return `${subject.roleArn} may pass ${subject.passes ?? "the listed roles"} to EC2.`;
  const operations = [...new Set(allowed.map(({ probe }) => probe.operation))].join(", ");
  const actions = new Set(allowed.map(({ action }) => action)).size;
  return `${subject.roleArn} holds ${actions} actions asked for by ${operations}.`;
}

function optionalFindings(subject: ChainSubject, judged: readonly JudgedAction[]): readonly LinkFinding[] {
  const lacking = judged.filter(
    ({ probe, verdict }) => verdict === "denied" && probe.grant.neededWhen !== undefined,
  );
  const reasons = [...new Set(lacking.map(({ probe }) => probe.grant.neededWhen ?? ""))];
  return reasons.map((reason) => {
    const own = lacking.filter(({ probe }) => probe.grant.neededWhen === reason);
    return {
      link: "grants",
      subject: subject.roleArn,
      verdict: "passed",
      knownBy: [...new Set(own.flatMap((one) => one.knownBy))],
      sentence: `${subject.roleArn} does not hold ${actionsOf(own)}: needed only when ${reason}.`,
    };
  });
}

function actionsOf(judged: readonly JudgedAction[]): string {
  return [...new Set(judged.map(({ action }) => action))].join(", ");
}

/** Keys that the role's policies test and the check can't foresee: worth a word when a call is denied later. */
async function foreignContextKeys(
  probe: RoleProbe | undefined,
  asked: { readonly subject: ChainSubject; readonly probes: readonly GrantProbe[]; readonly call: Call },
): Promise<readonly string[]> {
  if (probe === undefined) return [];
  const answer = await probe.contextKeys(asked.subject.roleArn, asked.call);
  if (answer.outcome !== "known") return [];
  const ours = new Set(
    asked.probes.flatMap((one) => Object.keys(one.context)).map((key) => key.toLowerCase()),
  );
  return answer.value.filter((key) => !ours.has(key.toLowerCase()));
}

function foreignKeyFinding(subject: ChainSubject, keys: readonly string[]): readonly LinkFinding[] {
  if (keys.length === 0) return [];
  const sentence = `The IAM policies of ${subject.roleArn} also test ${keys.join(", ")}; the check can't foresee what a call will carry there.`;
  return [{ link: "grants", subject: subject.roleArn, verdict: "passed", knownBy: ["read"], sentence }];
}
