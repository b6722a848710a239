import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { checkTrust } from "./check-trust.ts";
import { trustFix, trustPatches, type RoleKnowledge, type RoleWalk } from "./role-walk.ts";
import { ec2Trust } from "./trust-policy.ts";

/** Link 2: the trust policy names the appliance, with the external ID that the appliance holds. */
export function checkApplianceTrust(
  walk: RoleWalk,
  subject: ChainSubject,
  trust: RoleKnowledge["trust"],
): readonly LinkFinding[] {
  const base = { link: "trust-policy", subject: subject.roleArn } as const;
  if (trust.outcome !== "known") return [{ ...base, ...unreadTrust(subject, trust) }];
  const said = checkTrust({
    roleArn: subject.roleArn,
    accountId: subject.accountId,
    trust: trust.value.document,
    principal: walk.caller.arn,
    ...(subject.externalId === undefined ? {} : { externalId: subject.externalId }),
  });
  const found = { ...base, sentence: said.sentence, knownBy: [trust.value.knownBy] };
  const withStatement = said.statement === undefined ? found : { ...found, statement: said.statement };
  if (said.verdict === "trusts") return [{ ...withStatement, verdict: "passed" }];
  const verdict = said.verdict === "refuses" ? "failed" : "unknown";
  const fix = trustFix(walk.caller, subject);
  const patches = trustPatches(subject, said, fix);
  const asked = { action: "sts:AssumeRole", resource: subject.roleArn };
  return [{ ...withStatement, ...asked, verdict, fix, patches }];
}

function unreadTrust(
  subject: ChainSubject,
  trust: Exclude<RoleKnowledge["trust"], { readonly outcome: "known" }>,
): Pick<LinkFinding, "verdict" | "sentence" | "knownBy"> {
  const sentence =
    trust.outcome === "refused"
      ? `The trust policy of ${subject.roleArn} is unknown: the role may not read itself (iam:GetRole).`
      : `The trust policy of ${subject.roleArn} is unknown: ${trust.message}.`;
  return { verdict: "unknown", sentence, knownBy: [] };
}

/** Link 4: EC2 may give the role to an instance. */
export function checkEc2Trust(subject: ChainSubject, trust: RoleKnowledge["trust"]): readonly LinkFinding[] {
  const base = { link: "ec2-trust", subject: subject.roleArn } as const;
  if (trust.outcome !== "known") {
    const sentence = `Whether ${subject.roleArn} trusts EC2 is unknown: its trust policy could not be read.`;
    return [{ ...base, verdict: "unknown", sentence, knownBy: [] }];
  }
  const said = subject.values.ec2Principals.map((principal) =>
    checkTrust({
      roleArn: subject.roleArn,
      accountId: subject.accountId,
      trust: trust.value.document,
      principal,
      sessionName: "i-00000000000000000",
    }),
  );
  const best = said.find(({ verdict }) => verdict === "trusts") ?? said[0];
  if (best === undefined) return [];
  const found = {
    ...base,
    sentence: best.sentence,
    knownBy: [trust.value.knownBy],
    statement: best.statement,
  };
  if (best.verdict === "trusts") return [withoutUndefined({ ...found, verdict: "passed" })];
  const fix = { ...ec2Trust(subject.values) };
  const verdict = best.verdict === "refuses" ? "failed" : "unknown";
  const patches = trustPatches(subject, best, fix);
  const asked = { action: "sts:AssumeRole", resource: subject.roleArn };
  return [withoutUndefined({ ...found, ...asked, verdict, fix, patches })];
}

function withoutUndefined(
  finding: Omit<LinkFinding, "statement"> & { readonly statement: LinkFinding["statement"] | undefined },
): LinkFinding {
  const { statement, ...rest } = finding;
  return statement === undefined ? rest : { ...rest, statement };
}
