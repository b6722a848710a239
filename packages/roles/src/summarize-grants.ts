import type { LinkFinding, LinkName } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import { linkOf, type JudgedAction } from "./judge-action.ts";

/** What is there, what nobody could ask, what is absent and not needed: each said in one finding. */
export function summarizeGrants(
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

function foreignKeyFinding(subject: ChainSubject, keys: readonly string[]): readonly LinkFinding[] {
  if (keys.length === 0) return [];
  const sentence = `The IAM policies of ${subject.roleArn} also test ${keys.join(", ")}; the check can't foresee what a call will carry there.`;
  return [
    {
      link: "grants",
      subject: subject.roleArn,
      verdict: "passed",
      knownBy: ["read"],
      isNotice: true,
      sentence,
    },
  ];
}
