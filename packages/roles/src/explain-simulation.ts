import type { StatementOrigin } from "./chain-report.ts";
import type { ChainSubject } from "./chain-subjects.ts";
import type { GrantProbe } from "./grant-probes.ts";
import type { SimulatedDecision } from "./prober.ts";

export interface Denial {
  readonly sentence: string;
  readonly statement?: StatementOrigin;
  /** Nothing denies: only an allow of the role's own is missing. */
  readonly isSilent?: true;
}

/** What the simulator's answer means in one sentence; it names the layer, and the policy where IAM tells it. */
export function explainSimulation(
  subject: ChainSubject,
  probe: GrantProbe,
  decided: SimulatedDecision,
): Denial {
  const { accountId, roleArn } = subject;
  const what = `${decided.action} on ${decided.resource}`;
  const need = `needed to ${probe.grant.step}`;
  if (decided.allowedByOrganization === false) {
    const sentence = `An organisation policy (SCP) does not let ${roleArn} do ${what}, ${need}; a check with read rights on the organisation names the statement.`;
    return { sentence, statement: { layer: "scp", policy: "organisation policy", accountId } };
  }
  if (decided.allowedByBoundary === false && decided.decision === "implicitDeny") {
    const sentence = `The permissions boundary of ${roleArn} does not allow ${what}, ${need}.`;
    return { sentence, statement: { layer: "boundary", policy: "permissions boundary", accountId } };
  }
  if (decided.decision === "explicitDeny") {
    const from = decided.matched.map(({ policy }) => policy);
    const policy = from.length === 0 ? "a policy" : [...new Set(from)].join(", ");
    const isBoundary = decided.matched.some(({ type }) => /boundary/i.test(type ?? ""));
    const sentence = `A statement in ${policy} denies ${roleArn} ${what}, ${need}.`;
    return { sentence, statement: { layer: isBoundary ? "boundary" : "identity", policy, accountId } };
  }
  return missingAllow(subject, probe, decided);
}

/** The right is nowhere granted: the place where it belongs is named. */
export function missingAllow(
  subject: ChainSubject,
  probe: GrantProbe,
  what: { readonly action: string; readonly resource: string },
): Denial {
  const policy = policyNameOf(probe.operation);
  const sentence = `No IAM policy of ${subject.roleArn} allows ${what.action} on ${what.resource}, needed to ${probe.grant.step}.`;
  const statement = { layer: "identity", policy, accountId: subject.accountId };
  return { sentence, statement, isSilent: true };
}

/** The name under which `roles export` writes the rights of an operation. */
export function policyNameOf(operation: string): string {
  return `garrison-${operation.replaceAll(".", "-")}`;
}
