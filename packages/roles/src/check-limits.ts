import type { LinkFinding } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import {
  inlineTotalLimit,
  managedPoliciesPerRole,
  managedPolicyLimit,
  trustPolicyLimit,
} from "./pack-policies.ts";
import type { AccountLimits } from "./policy-reader.ts";
import { policySize } from "./policy-statement.ts";
import type { Answer } from "./prober.ts";
import type { RoleKnowledge } from "./role-walk.ts";
import type { SessionPolicySize } from "./chain-request.ts";

/** AWS's own defaults, where the account's can't be read. */
export const defaultLimits: AccountLimits = {
  trustPolicyCharacters: trustPolicyLimit,
  inlinePolicyCharacters: inlineTotalLimit,
  managedPolicyCharacters: managedPolicyLimit,
  attachedPoliciesPerRole: managedPoliciesPerRole,
  roles: { used: 0, most: 1000 },
  instanceProfiles: { used: 0, most: 1000 },
};

export const sessionPolicyLimit = 2048;

export interface LimitSources extends Pick<RoleKnowledge, "trust" | "policies"> {
  readonly limits: Answer<AccountLimits> | undefined;
  /** What the other links found missing: it has to fit in. */
  readonly findings: readonly LinkFinding[];
  readonly sessionPolicies: readonly SessionPolicySize[];
}

/**
 * Link 7: AWS stores nothing that is over a limit, so what is there is within; the question is whether what is missing
 * still fits beside it, and whether what will be lent for a task fits a session policy.
 */
export function checkLimits(sources: LimitSources, subject: ChainSubject): readonly LinkFinding[] {
  const limits = sources.limits?.outcome === "known" ? sources.limits.value : defaultLimits;
  const base = { link: "limits", subject: subject.roleArn, knownBy: ["read"] } as const;
  const broken = [
    trustRoom(sources, subject, limits),
    policyRoom(sources, subject, limits),
    ...sizeOfManaged(sources, subject, limits),
    countOf(sources, subject, limits),
    ...sessionRoom(sources, subject),
  ].filter((sentence) => sentence !== undefined);
  if (broken.length > 0) {
    return broken.map((sentence) => ({ ...base, verdict: "failed", sentence }));
  }
  const unread = unreadable(sources, subject);
  if (unread !== undefined) return [{ ...base, knownBy: [], verdict: "unknown", sentence: unread }];
  return [{ ...base, verdict: "passed", sentence: roomLeft(sources, subject, limits) }];
}

function trustRoom(sources: LimitSources, { roleArn }: ChainSubject, limits: AccountLimits) {
  const { trust } = sources;
  const used = trust.outcome === "known" ? policySize(trust.value.document) : 0;
  const most = limits.trustPolicyCharacters;
  const added = uniquePatches(sources, roleArn)
    .filter(({ change, policy }) => change === "add" && policy === "trust policy")
    .reduce((sum, { statement }) => sum + policySize(statement) + 1, 0);
  if (used + added <= most) return undefined;
  if (added === 0) {
    return `The trust policy of ${roleArn} has ${used} characters, and AWS takes ${most}: it can be kept but not written again; shorten it.`;
  }
  return `The trust policy of ${roleArn} has ${used} of ${most} characters, and the ${added} of the statement that is missing don't fit: take out statements that nobody needs, or have the quota "Role trust policy length" raised.`;
}

function policyRoom({ findings, policies }: LimitSources, { roleArn }: ChainSubject, limits: AccountLimits) {
  if (policies === undefined) return undefined;
  const { attached, inline } = holdings(policies.identityPolicies);
  const used = inline.reduce((sum, policy) => sum + policySize(policy), 0);
  const most = limits.inlinePolicyCharacters;
  const added = missingSize(findings, roleArn);
  if (used + added <= most) return undefined;
  if (attached.length < limits.attachedPoliciesPerRole && used <= most) return undefined;
  return `The inline policies of ${roleArn} have ${used} of ${most} characters and ${attached.length} of ${limits.attachedPoliciesPerRole} managed policies are attached: ${added === 0 ? "nothing can be added" : `the ${added} characters that are missing fit nowhere`}. Take out what the role doesn't need (\`garrison roles check --least\` lists it), or join attached policies.`;
}

function sizeOfManaged({ policies }: LimitSources, { roleArn }: ChainSubject, limits: AccountLimits) {
  const most = limits.managedPolicyCharacters;
  return (policies?.identityPolicies ?? [])
    .filter(({ name, policy }) => isAttached(name) && policySize(policy) > most)
    .map(
      ({ name, policy }) =>
        `The managed policy ${name ?? ""} of ${roleArn} has ${policySize(policy)} characters, and AWS takes ${most}: it can't be written again as it is; split it.`,
    );
}

/** A role that is missing can be made only where the account has room for one more. */
function countOf({ findings, limits }: LimitSources, { roleArn }: ChainSubject, most: AccountLimits) {
  if (limits?.outcome !== "known") return undefined;
  const lacks = (link: string, verdict: string) =>
    findings.some((one) => one.subject === roleArn && one.link === link && one.verdict === verdict);
  const { instanceProfiles, roles } = most;
  if (lacks("assume-role", "failed") && lacks("trust-policy", "unknown") && roles.used >= roles.most) {
    return `The account of ${roleArn} holds ${roles.used} of ${roles.most} roles: if the role does not exist, it can't be made before another one goes or the quota is raised.`;
  }
  if (lacks("instance-profile", "failed") && instanceProfiles.used >= instanceProfiles.most) {
    return `The account of ${roleArn} holds ${instanceProfiles.used} of ${instanceProfiles.most} instance profiles: the missing one can't be made before another one goes or the quota is raised.`;
  }
  return undefined;
}

function sessionRoom({ sessionPolicies }: LimitSources, { role }: ChainSubject) {
  return sessionPolicies
    .filter(({ characters, roleId }) => roleId === role.id && characters > sessionPolicyLimit)
    .map(
      ({ characters, title }) =>
        `The session policy to ${title} has ${characters} characters, and STS takes ${sessionPolicyLimit}: a shorter bucket name or prefix makes it fit.`,
    );
}

/** Something is missing, and nobody could read how much room there is. */
function unreadable({ findings, policies }: LimitSources, { roleArn }: ChainSubject): string | undefined {
  if (policies !== undefined || missingSize(findings, roleArn) === 0) return undefined;
  return `Whether what ${roleArn} lacks fits within AWS's limits is unknown: its IAM policies could not be read.`;
}

function roomLeft(
  { policies, trust }: LimitSources,
  { roleArn }: ChainSubject,
  limits: AccountLimits,
): string {
  const parts: string[] = [];
  if (trust.outcome === "known") {
    parts.push(
      `${policySize(trust.value.document)} of ${limits.trustPolicyCharacters} characters of trust policy`,
    );
  }
  if (policies !== undefined) {
    const { attached, inline } = holdings(policies.identityPolicies);
    const used = inline.reduce((sum, policy) => sum + policySize(policy), 0);
    parts.push(`${used} of ${limits.inlinePolicyCharacters} characters of inline policies`);
    parts.push(`${attached.length} of ${limits.attachedPoliciesPerRole} attached policies`);
  }
  const used = parts.length === 0 ? "nothing that is known to be limited" : parts.join(", ");
  return `${roleArn} is within AWS's limits: ${used}.`;
}

function missingSize(findings: readonly LinkFinding[], roleArn: string): number {
  return uniquePatches({ findings }, roleArn)
    .filter(({ change, layer }) => change === "add" && layer === "identity")
    .reduce((sum, { statement }) => sum + policySize(statement) + 1, 0);
}

/** Several findings may ask for the same change. */
function uniquePatches({ findings }: Pick<LimitSources, "findings">, roleArn: string) {
  const accountId = roleArn.split(":")[4];
  const patches = findings
    .filter(({ subject }) => subject === roleArn)
    .flatMap((finding) => finding.patches ?? [])
    .filter((patch) => patch.accountId === accountId);
  return [...new Map(patches.map((patch) => [JSON.stringify(patch), patch])).values()];
}

function holdings(policies: readonly { readonly name?: string; readonly policy: object }[]) {
  const inline = policies.filter(({ name }) => !isAttached(name)).map(({ policy }) => policy);
  const attached = policies.filter(({ name }) => isAttached(name)).map(({ policy }) => policy);
  return { inline, attached };
}

function isAttached(name: string | undefined): boolean {
  return name?.startsWith("arn:") === true;
}
