import type { LinkFinding, LinkName } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { evaluateProbe, type EvaluatedProbe } from "./evaluate-probe.ts";
import { explainSimulation, type Denial } from "./explain-simulation.ts";
import { grantPatch } from "./grant-patches.ts";
import type { GrantProbe } from "./grant-probes.ts";
import { foreignKeys } from "./known-context-keys.ts";
import type { SimulatedDecision } from "./prober.ts";
import type { SeenPolicies } from "./seen-policies.ts";
import type { SimulatedProbes } from "./simulate-probes.ts";

/** The verdict on one action of a grant, over all its resources. */
export interface JudgedAction {
  readonly probe: GrantProbe;
  readonly action: string;
  readonly verdict: "allowed" | "denied" | "unknown" | "not-asked";
  readonly knownBy: readonly string[];
  /** Present for what is missing or depends on something. */
  readonly finding?: LinkFinding;
  readonly disagreement?: LinkFinding;
}

/** What one role is judged by. */
export interface Judging {
  /** Absent when nobody with read rights is there. */
  readonly policies: SeenPolicies | undefined;
  readonly subject: ChainSubject;
  readonly simulated: SimulatedProbes;
  /** Lower case: context keys that the check fills in, or that belong to other grants of the catalogue. */
  readonly knownKeys: ReadonlySet<string>;
}

/** The first resource on which the action is not allowed decides; otherwise it is allowed. */
export function judgeAction(judging: Judging, probe: GrantProbe, action: string): JudgedAction {
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
  const { policies } = judging;
  const simulated = judging.simulated.decision(probe, pair.action, pair.resource);
  const evaluated =
    policies === undefined ? undefined : evaluateProbe({ subject: judging.subject, policies }, probe, pair);
  const bySimulation = simulated === undefined ? undefined : simulatedVerdict(simulated, judging.knownKeys);
  const hasGaps = (policies?.gaps.length ?? 0) > 0;
  // The simulator was not told what only the call will have, and takes it for absent: a denial by that is no knowledge.
  const isOpen = evaluated?.verdict === "unknown" && !hasGaps;
  const verdict = isOpen ? "unknown" : worse(bySimulation, evaluated?.verdict);
  const knownBy = [
    ...(bySimulation === undefined ? [] : ["simulated"]),
    ...(evaluated === undefined ? [] : ["evaluated"]),
  ];
  const base = { probe, action: pair.action, verdict, knownBy };
  const disagreement = isOpen ? undefined : disagreementOf(judging, pair, { bySimulation, evaluated });
  const withDisagreement = disagreement === undefined ? base : { ...base, disagreement };
  if (verdict === "allowed" || verdict === "not-asked" || probe.grant.neededWhen !== undefined)
    return withDisagreement;
  const denial = denialOf(judging, probe, { simulated, bySimulation, evaluated });
  const saidBy = knownBy.filter(
    (way) => (way === "simulated" ? bySimulation : evaluated?.verdict) === verdict,
  );
  return {
    ...withDisagreement,
    finding: findingOf(judging.subject, probe, { ...pair, ...denial, verdict, knownBy: saidBy }),
  };
}

type Verdict = "allowed" | "denied" | "unknown";

/**
 * A denial that hangs on context which only the call itself will have is unknown. Keys that our own grants test are known
 * to the check: IAM lists them for statements that have nothing to do with this action.
 */
function simulatedVerdict(decided: SimulatedDecision, knownKeys: ReadonlySet<string>): Verdict {
  if (decided.decision === "allowed") return "allowed";
  if (decided.decision === "explicitDeny") return "denied";
  return foreignKeys(decided.missingContext, knownKeys).length > 0 ? "unknown" : "denied";
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

function denialOf({ knownKeys, subject }: Judging, probe: GrantProbe, ways: BothWays): Denial {
  const { evaluated, simulated } = ways;
  if (evaluated !== undefined && evaluated.verdict !== "allowed") return evaluated;
  if (simulated === undefined) throw new RangeError("nothing denied this");
  if (ways.bySimulation === "denied") return explainSimulation(subject, probe, simulated);
  const keys = foreignKeys(simulated.missingContext, knownKeys).join(", ");
  const sentence = `Whether ${subject.roleArn} may do ${simulated.action} on ${simulated.resource} depends on ${keys}, which only the call itself will have.`;
  return { sentence };
}

/** The simulator sees neither RCPs nor endpoint policies: a denial by these is no disagreement. */
function disagreementOf(judging: Judging, pair: Pair, ways: BothWays): LinkFinding | undefined {
  const { bySimulation, evaluated } = ways;
  if (bySimulation === undefined || evaluated === undefined) return undefined;
  if (bySimulation === "unknown" || evaluated.verdict === "unknown" || bySimulation === evaluated.verdict)
    return undefined;
  const hasGaps = (judging.policies?.gaps.length ?? 0) > 0;
  if (evaluated.verdict === "allowed" && hasGaps) return undefined;
  const unseen = evaluated.result.blockedBy.every((layer) =>
    ["rcp", "resource", "vpc-endpoint"].includes(layer),
  );
  if (evaluated.verdict === "denied" && unseen) return undefined;
  return {
    link: linkOf(pair.action),
    subject: judging.subject.roleArn,
    verdict: "unknown",
    sentence: `IAM's simulator and the evaluation of the policies disagree about ${pair.action} on ${pair.resource}: ${bySimulation} and ${evaluated.verdict}. If the policies of ${judging.subject.roleArn} were changed in the last minutes, IAM is still spreading the change: check again; otherwise a layer is at work that could not be read.`,
    knownBy: ["simulated", "evaluated"],
    ...pair,
  };
}

function findingOf(
  subject: ChainSubject,
  probe: GrantProbe,
  found: Pair & Denial & Pick<JudgedAction, "verdict" | "knownBy"> & Pick<LinkFinding, "patches" | "tree">,
): LinkFinding {
  const { action, knownBy, resource, sentence, statement, tree } = found;
  const granted = grantPatch({ subject, probe, action });
  const isOwn = statement?.layer === "identity" || statement?.layer === "boundary";
  // Without the policies at hand, all that is known to help is the grant itself, and only where nothing denies it.
  const patches =
    found.patches ?? (isOwn && granted !== undefined && found.isSilent === true ? [granted] : []);
  const fix = isOwn ? granted?.statement : patches[0]?.statement;
  return {
    link: linkOf(action),
    subject: subject.roleArn,
    verdict: found.verdict === "denied" ? "failed" : "unknown",
    sentence,
    knownBy,
    action,
    resource,
    ...(statement === undefined ? {} : { statement }),
    ...(fix === undefined ? {} : { fix: { ...fix } }),
    ...(patches.length === 0 ? {} : { patches }),
    ...(tree === undefined ? {} : { tree }),
  };
}

/** PassRole is a link of its own: it ties the launching role to the worker role. */
export function linkOf(action: string): LinkName {
  return action === "iam:PassRole" ? "pass-role" : "grants";
}
