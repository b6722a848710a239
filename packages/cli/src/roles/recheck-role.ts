import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { openPolicyReader } from "@garrison/aws/role-policy-reader";
import { openProber, openRoleProbe } from "@garrison/aws/role-prober";
import type { LinkFinding, Verdict } from "@garrison/roles/chain-report";
import { checkChain } from "@garrison/roles/check-chain";
import { checkAsOperator } from "@garrison/roles/repair/check-as-operator";
import { readPolicies } from "@garrison/roles/seen-policies";
import type { CliContext } from "../cli-context.ts";
import type { RepairTarget } from "./repair-target.ts";

export interface RecheckRequest {
  readonly target: RepairTarget;
  readonly clients: AwsClients;
  readonly others: readonly AwsClients[];
  /** How long a failed check is repeated: what IAM was told reaches the other services within a minute or two. */
  readonly waitMs: number;
  /** An AWS profile that is the appliance: the chain is walked as it, too. */
  readonly applianceProfile?: string;
}

export interface Recheck {
  readonly verdict: Verdict;
  /** Those about the repaired role. */
  readonly findings: readonly LinkFinding[];
  readonly isByAppliance: boolean;
}

const firstPauseMs = 500;
const longestPauseMs = 8_000;

/** Checks the role until it holds or the time is up; answers what the last check found. */
export async function recheckRole(request: RecheckRequest, context: CliContext): Promise<Recheck> {
  const untilMs = context.clock.now() + request.waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const found = await checkOnce(request, context);
    const leftMs = untilMs - context.clock.now();
    if (found.verdict !== "failed" || leftMs <= 0) return found;
    await context.clock.sleep(Math.min(pauseMs, leftMs), context.signal);
  }
}

async function checkOnce(request: RecheckRequest, context: CliContext): Promise<Recheck> {
  const call = { signal: context.signal };
  const { clients, others, target } = request;
  const policyReader = openPolicyReader([clients, ...others]);
  const policies = await readPolicies(policyReader, target.subject, call);
  const asOperator =
    policies !== undefined
      ? await checkAsOperator(
          {
            ...target,
            prober: openProber(clients),
            probe: openRoleProbe(clients.iam()),
            policies,
          },
          call,
        )
      : [];
  const asAppliance = await checkAsAppliance(request, context);
  // What the appliance itself was told counts before what an operator can see.
  const findings = asAppliance ?? asOperator;
  return {
    verdict: overall([...asOperator, ...findings]),
    findings,
    isByAppliance: asAppliance !== undefined,
  };
}

async function checkAsAppliance(
  { applianceProfile, clients, others, target }: RecheckRequest,
  { signal }: CliContext,
): Promise<readonly LinkFinding[] | undefined> {
  if (applianceProfile === undefined || target.request === undefined) return undefined;
  const appliance = openAwsClients({ region: target.region, profile: applianceProfile });
  const prober = openProber(appliance);
  try {
    const policyReader = openPolicyReader([clients, ...others]);
    const { findings } = await checkChain({ prober, policyReader }, target.request, { signal });
    return findings.filter(({ subject }) => subject === target.subject.roleArn);
  } finally {
    prober.close();
    appliance.close();
  }
}

function overall(findings: readonly LinkFinding[]): Verdict {
  if (findings.some(({ verdict }) => verdict === "failed")) return "failed";
  return findings.some(({ verdict }) => verdict === "unknown") || findings.length === 0
    ? "unknown"
    : "passed";
}

const words = {
  passed: "The role holds",
  failed: "The role is still broken",
  unknown: "Whether the role holds is not known",
} as const;

export function formatRecheck({ findings, isByAppliance, verdict }: Recheck): string {
  const lines = findings
    .filter((finding) => finding.verdict !== "passed")
    .map((finding) => `  ${finding.verdict.padEnd(8)}${finding.link.padEnd(22)}${finding.sentence}`);
  const by = isByAppliance
    ? "checked as the appliance"
    : "checked with your own rights: that the appliance can assume it is shown by `garrison roles check`, run as the appliance";
  return [`${words[verdict]} (${by}).`, ...lines, ""].join("\n");
}
