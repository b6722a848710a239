import type { ChainReport, Excess, LinkFinding, Verdict } from "./chain-report.ts";
import type { ChainRequest } from "./chain-request.ts";
import { chainSubjects, type ChainSubject } from "./chain-subjects.ts";
import { joinPatches } from "./join-patches.ts";
import type { PolicyReader } from "./policy-reader.ts";
import type { CallerFacts, Call, Prober, RoleProbe } from "./prober.ts";
import { walkRole } from "./walk-role.ts";

export interface ChainDependencies {
  readonly prober: Prober;
  /** Somebody with read rights on IAM and the organisation: turns a denied layer into the statement that denies. */
  readonly policyReader?: PolicyReader;
}

/**
 * Walks the chain role by role and link by link, and stops at nothing: one broken link must not hide the next. Refusals
 * are findings; only a stop request and a malformed request throw.
 */
export async function checkChain(
  dependencies: ChainDependencies,
  request: ChainRequest,
  call: Call,
): Promise<ChainReport> {
  const caller = await dependencies.prober.callerIdentity(call);
  if (caller.outcome !== "known") return reportOf(request, [nobodyAsks(request, caller.message)]);
  const findings: LinkFinding[] = [];
  const excess: Excess[] = [];
  let launcher: RoleProbe | undefined;
  for (const subject of chainSubjects(request, caller.value)) {
    const { sessionPolicies = [], withExcess = false } = request;
    const asks = { caller: callerOf(request, caller.value), launcher, sessionPolicies, withExcess };
    const walk = { ...dependencies, ...asks };
    const walked = await walkRole(walk, subject, call);
    findings.push(...walked.findings, ...wrongAccount(subject));
    excess.push(...walked.excess);
    if (subject.passes !== undefined) launcher = walked.probe;
  }
  return reportOf(request, joinPatches(findings), excess);
}

/** Whoever asks is the appliance, unless the request names it. */
function callerOf(request: ChainRequest, caller: CallerFacts): CallerFacts {
  const { applianceArn } = request;
  if (applianceArn === undefined) return caller;
  return { arn: applianceArn, accountId: applianceArn.split(":")[4] ?? caller.accountId };
}

/** EC2 takes a role only of the account that the instance is launched in. */
function wrongAccount(subject: ChainSubject): readonly LinkFinding[] {
  const { accountId, passes, roleArn } = subject;
  if (passes === undefined || passes.split(":")[4] === accountId) return [];
  const sentence = `${passes} is in another account than ${roleArn}, which launches the worker in ${accountId}: a role can be passed only within its account.`;
  return [
    {
      link: "pass-role",
      subject: roleArn,
      verdict: "failed",
      sentence,
      knownBy: ["read"],
      action: "iam:PassRole",
      resource: passes,
    },
  ];
}

function nobodyAsks(request: ChainRequest, message: string): LinkFinding {
  const sentence = `Nothing could be asked with the current AWS credentials: ${message.replace(/\.$/, "")}.`;
  return {
    link: "assume-role",
    subject: request.roleArn,
    verdict: "unknown",
    sentence,
    knownBy: ["executed"],
  };
}

function reportOf(
  request: ChainRequest,
  findings: readonly LinkFinding[],
  excess: readonly Excess[] = [],
): ChainReport {
  const { operations, placement, withExcess = false } = request;
  const isAlarming = excess.some(({ kind }) => kind === "alarm");
  const verdict = isAlarming ? "failed" : overall(findings);
  return { verdict, operations, placement, findings, ...(withExcess ? { excess } : {}) };
}

function overall(findings: readonly LinkFinding[]): Verdict {
  if (findings.some(({ verdict }) => verdict === "failed")) return "failed";
  return findings.some(({ verdict }) => verdict === "unknown") ? "unknown" : "passed";
}
