import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase } from "@garrison/iam/evaluation-case";
import { explainAsTree } from "@garrison/iam/explanation-tree";
import type { StatementSource } from "@garrison/iam/explain";
import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { LinkFinding, StatementOrigin } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { checkTrust, type TrustVerdict } from "./check-trust.ts";
import type { CollectedPolicies } from "./policy-reader.ts";
import type { Call } from "./prober.ts";
import { principalArnOf } from "./role-arn.ts";
import { trustFix, trustPatches, type Attempt } from "./role-walk.ts";

type Refusal = Pick<LinkFinding, "sentence" | "statement" | "fix" | "patches" | "tree"> &
  Partial<Pick<LinkFinding, "knownBy">>;

/** STS never says why; the trust policy does where somebody could read it, the appliance's own policies otherwise. */
export async function explainRefusal(attempt: Attempt, subject: ChainSubject, call: Call): Promise<Refusal> {
  const { trust, walk } = attempt;
  const appliance = principalArnOf(walk.caller.arn);
  const fix = trustFix(walk.caller, subject);
  if (trust.outcome !== "known") {
    const sentence = `AWS refused to let ${appliance} assume ${subject.roleArn}. STS does not say why: the role may not exist, its trust policy may not name the appliance or may ask for another external ID, or the appliance may lack sts:AssumeRole on it.`;
    return { sentence, fix };
  }
  const said = checkTrust({
    roleArn: subject.roleArn,
    accountId: subject.accountId,
    trust: trust.value.document,
    principal: walk.caller.arn,
    ...(subject.externalId === undefined ? {} : { externalId: subject.externalId }),
  });
  if (said.verdict !== "trusts") return refusedByTrust(subject, said, fix);
  const own = await walk.policyReader?.collect(appliance, call);
  if (own?.outcome !== "known") return refusedElsewhere(appliance, attempt, subject);
  return explainCaller(own.value, attempt, subject) ?? refusedUnseen(appliance, subject, own.value.gaps);
}

function refusedByTrust(
  subject: ChainSubject,
  said: TrustVerdict,
  fix: Readonly<Record<string, unknown>>,
): Refusal {
  const { sentence, statement } = said;
  const patches = trustPatches(subject, said, fix);
  return { sentence, fix, patches, ...(statement === undefined ? {} : { statement }) };
}

/** The role trusts the appliance, and the appliance's own policies are nobody's to read here. */
function refusedElsewhere(appliance: string, { walk }: Attempt, subject: ChainSubject): Refusal {
  const { accountId } = walk.caller;
  const sentence = `${subject.roleArn} trusts ${appliance}, and yet AWS refused: the appliance's own IAM policies, or its account's organisation policies, don't allow sts:AssumeRole on it.`;
  const patch = assumePatch(subject, accountId);
  const statement = { layer: "identity", policy: patch.policy, accountId };
  return { sentence, statement, fix: { ...patch.statement }, patches: [patch] };
}

/** All that could be read allows it: what can't be read is named, and so is what passes by itself. */
function refusedUnseen(appliance: string, subject: ChainSubject, gaps: readonly string[]): Refusal {
  const unread = gaps.length === 0 ? "" : `${gaps.join(" or ")}, which could not be read, or `;
  const sentence = `${subject.roleArn} trusts ${appliance}, whose own IAM policies allow sts:AssumeRole on it, and yet AWS refused: ${unread}what nobody can read decides, a session policy of the appliance's present credentials or the policy of a VPC endpoint for STS. If the role was made or changed in the last minutes, IAM is still spreading the change: check again.`;
  const statement = { layer: "session", policy: "session policy of the appliance's credentials" };
  return { sentence, statement, knownBy: ["executed", "evaluated"] };
}

function explainCaller(
  policies: CollectedPolicies,
  { policies: target, trust, walk }: Attempt,
  subject: ChainSubject,
): Refusal | undefined {
  if (trust.outcome !== "known") return undefined;
  const { externalId, roleArn, accountId } = subject;
  const { resourceControlPolicies: _own, ...callerSide } = policies;
  const { resourceControlPolicies } = target ?? {};
  const organizationId = policies.organizationId;
  const assumption: EvaluationCase = {
    ...callerSide,
    request: {
      action: "sts:AssumeRole",
      resource: { resource: roleArn, accountId },
      principal: walk.caller.arn,
      context: {
        "sts:RoleSessionName": "garrison-check",
        ...(organizationId === undefined ? {} : { "aws:PrincipalOrgID": organizationId }),
        ...(externalId === undefined ? {} : { "sts:ExternalId": externalId }),
      },
    },
    resourcePolicy: trust.value.document,
    ...(resourceControlPolicies === undefined ? {} : { resourceControlPolicies }),
  };
  const result = evaluate(assumption);
  if (result.decision === "Allowed") return undefined;
  const tree = explainAsTree(assumption);
  const { layer = "identity", patches, sentence, statement } = tree;
  const isSilent = layer === "identity" && result.decision === "ImplicitlyDenied";
  const own = assumePatch(subject, walk.caller.accountId);
  const mends = isSilent ? patches.map((patch) => (patch.layer === "identity" ? own : patch)) : patches;
  const fix = mends[0]?.statement;
  return {
    sentence,
    knownBy: ["executed", "evaluated"],
    statement: originOf(layer, statement, { policy: own.policy, accountId: walk.caller.accountId }),
    ...(fix === undefined ? {} : { fix: { ...fix } }),
    patches: mends,
    tree,
  };
}

function originOf(
  layer: string,
  from: StatementSource | undefined,
  fallback: { readonly policy: string; readonly accountId: string },
): StatementOrigin {
  if (from === undefined) return { layer, ...fallback };
  const { accountId, index, orgIdentifier, policy, sid } = from;
  return {
    layer: layer === "resource" ? "trust" : layer,
    policy,
    ...(sid === undefined ? {} : { sid }),
    statementIndex: index,
    ...(accountId === undefined ? {} : { accountId }),
    ...(orgIdentifier === undefined ? {} : { attachedTo: orgIdentifier }),
  };
}

/** The statement by which the appliance's own role would be let to assume this one. */
function assumePatch({ roleArn }: ChainSubject, accountId: string) {
  return {
    layer: "identity",
    policy: "garrison-appliance",
    accountId,
    change: "add",
    statement: {
      Sid: "AssumeRoles",
      Effect: "Allow",
      Action: ["sts:AssumeRole"],
      Resource: [roleArn],
    },
  } as const satisfies PolicyPatch;
}
