import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { checkTrust } from "./check-trust.ts";
import { explainRefusal } from "./explain-refusal.ts";
import type { Answer, Call } from "./prober.ts";
import { parseRoleArn, principalArnOf } from "./role-arn.ts";
import { trustFix, trustPatches, type Attempt, type RoleWalk } from "./role-walk.ts";

/** Links 1 and the opposite test: the appliance can become the role, and nobody can without the external ID. */
export async function checkAssumeRole(
  attempt: Attempt,
  subject: ChainSubject,
  call: Call,
): Promise<readonly LinkFinding[]> {
  const { caller } = attempt.walk;
  const base = { link: "assume-role", subject: subject.roleArn, knownBy: ["executed"] } as const;
  if (attempt.assumed.outcome === "known") {
    const sentence = `${principalArnOf(caller.arn)} assumed ${subject.roleArn}.`;
    return [{ ...base, verdict: "passed", sentence }, await oppositeTest(attempt, subject, call)];
  }
  const missing = { action: "sts:AssumeRole", resource: subject.roleArn };
  if (attempt.assumed.outcome === "unreachable") {
    const sentence = `Whether ${principalArnOf(caller.arn)} can assume ${subject.roleArn} is unknown: ${attempt.assumed.message}.`;
    return [{ ...base, ...missing, verdict: "unknown", sentence }];
  }
  const foreign = otherPartition(attempt.walk, subject);
  if (foreign !== undefined) {
    return [{ ...base, ...missing, verdict: "failed", sentence: foreign, knownBy: ["executed", "read"] }];
  }
  return [{ ...base, ...missing, verdict: "failed", ...(await explainRefusal(attempt, subject, call)) }];
}

/** Partitions know nothing of each other: no policy can mend that. */
function otherPartition({ caller }: RoleWalk, { roleArn }: ChainSubject): string | undefined {
  const own = caller.arn.split(":")[1];
  const { partition } = parseRoleArn(roleArn);
  if (own === partition) return undefined;
  return `${principalArnOf(caller.arn)} is in the partition ${own} and ${roleArn} in ${partition}: no role can be assumed from one partition into another. Check the ARN, or run an appliance in ${partition}.`;
}

/** A role that lets the appliance in without the external ID lets everybody's appliance in (the confused deputy). */
async function oppositeTest(attempt: Attempt, subject: ChainSubject, call: Call): Promise<LinkFinding> {
  const { caller, prober } = attempt.walk;
  const { externalId, roleArn } = subject;
  const base = { link: "external-id-required", subject: roleArn, knownBy: ["executed"] } as const;
  const without: Answer<unknown> =
    externalId === undefined ? attempt.assumed : await prober.assume({ roleArn }, call);
  if (without.outcome === "refused") {
    return { ...base, verdict: "passed", sentence: `${roleArn} can't be assumed without the external ID.` };
  }
  if (without.outcome === "known") {
    const sentence = `${roleArn} can be assumed without an external ID: its trust policy has to ask for one (sts:ExternalId).`;
    const fix = trustFix(caller, subject);
    const asked = { action: "sts:AssumeRole", resource: roleArn };
    return { ...base, ...asked, verdict: "failed", sentence, fix, ...openStatement(attempt, subject, fix) };
  }
  return {
    ...base,
    verdict: "unknown",
    sentence: `Whether ${roleArn} asks for an external ID is unknown: ${without.message}.`,
  };
}

/** The statement that lets the appliance in without an external ID, and its replacement. */
function openStatement(
  { trust, walk }: Attempt,
  subject: ChainSubject,
  fix: Readonly<Record<string, unknown>>,
): Pick<LinkFinding, "statement" | "patches"> {
  if (trust.outcome !== "known") return {};
  const { accountId, roleArn } = subject;
  const said = checkTrust({
    roleArn,
    accountId,
    trust: trust.value.document,
    principal: walk.caller.arn,
  });
  const index = said.statement?.statementIndex;
  if (said.verdict !== "trusts" || said.statement === undefined || index === undefined) return {};
  const [patch] = trustPatches(subject, said, fix);
  if (patch === undefined) return { statement: said.statement };
  // The open statement itself has to go: ours beside it would leave the door open.
  const { sid } = said.statement;
  const named = sid === undefined ? {} : { sid };
  return { statement: said.statement, patches: [{ ...patch, ...named, change: "replace", index }] };
}
