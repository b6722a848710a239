import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase } from "@garrison/iam/evaluation-case";
import { explain } from "@garrison/iam/explain";
import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { checkTrust } from "./check-trust.ts";
import type { CollectedPolicies } from "./policy-reader.ts";
import type { Answer, Call, RoleProbe } from "./prober.ts";
import { principalArnOf } from "./role-arn.ts";
import { trustFix, type RoleKnowledge, type RoleWalk } from "./role-walk.ts";

interface Attempt {
  readonly walk: RoleWalk;
  readonly assumed: Answer<RoleProbe>;
  readonly trust: RoleKnowledge["trust"];
}

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
  return [{ ...base, ...missing, verdict: "failed", ...(await refusalOf(attempt, subject, call)) }];
}

/** STS never says why; the trust policy does where somebody could read it, the appliance's own policies otherwise. */
async function refusalOf(
  { trust, walk }: Attempt,
  subject: ChainSubject,
  call: Call,
): Promise<Pick<LinkFinding, "sentence" | "statement" | "fix">> {
  const appliance = principalArnOf(walk.caller.arn);
  if (trust.outcome !== "known") {
    const sentence = `AWS refused to let ${appliance} assume ${subject.roleArn}. STS does not say why: the role may not exist, its trust policy may not name the appliance or may ask for another external ID, or the appliance may lack sts:AssumeRole on it.`;
    return { sentence, fix: trustFix(walk.caller, subject) };
  }
  const said = checkTrust({
    roleArn: subject.roleArn,
    accountId: subject.accountId,
    trust: trust.value.document,
    principal: walk.caller.arn,
    ...(subject.externalId === undefined ? {} : { externalId: subject.externalId }),
  });
  if (said.verdict !== "trusts") {
    return {
      sentence: said.sentence,
      ...(said.statement === undefined ? {} : { statement: said.statement }),
      fix: trustFix(walk.caller, subject),
    };
  }
  const own = await walk.policyReader?.collect(appliance, call);
  const explained =
    own?.outcome === "known"
      ? explainCaller(own.value, walk, { subject, trust: trust.value.document })
      : undefined;
  const fix = {
    Sid: "AssumeRoles",
    Effect: "Allow",
    Action: ["sts:AssumeRole"],
    Resource: [subject.roleArn],
  };
  const accountId = walk.caller.accountId;
  const statement = { layer: "identity", policy: "garrison-appliance", accountId };
  const sentence = `${subject.roleArn} trusts ${appliance}, and yet AWS refused: the appliance's own IAM policies, or its account's organisation policies, don't allow sts:AssumeRole on it.`;
  return explained === undefined ? { sentence, statement, fix } : { sentence: explained, statement, fix };
}

function explainCaller(
  policies: CollectedPolicies,
  walk: RoleWalk,
  asked: { readonly subject: ChainSubject; readonly trust: object },
): string | undefined {
  const { externalId, roleArn, accountId } = asked.subject;
  const assumption: EvaluationCase = {
    request: {
      action: "sts:AssumeRole",
      resource: { resource: roleArn, accountId },
      principal: walk.caller.arn,
      context: {
        "sts:RoleSessionName": "garrison-check",
        ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
      },
    },
    ...policies,
    resourcePolicy: asked.trust,
  };
  const result = evaluate(assumption);
  return result.decision === "Allowed" ? undefined : explain(assumption, result).sentence;
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
    return {
      ...base,
      verdict: "failed",
      sentence,
      action: "sts:AssumeRole",
      resource: roleArn,
      fix: trustFix(caller, subject),
    };
  }
  return {
    ...base,
    verdict: "unknown",
    sentence: `Whether ${roleArn} asks for an external ID is unknown: ${without.message}.`,
  };
}
