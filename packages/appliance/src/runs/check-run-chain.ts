import type { Account } from "@garrison/api/schemas/accounts";
import { openProber } from "@garrison/aws/role-prober";
import { parseS3Address } from "@garrison/aws/s3-address";
import { sessionPolicySizes } from "@garrison/aws/session-policy-sizes";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ChainReport } from "@garrison/roles/chain-report";
import { checkChain } from "@garrison/roles/check-chain";
import type { ChainRequest, SessionPolicySize } from "@garrison/roles/chain-request";
import { describePatch } from "@garrison/iam/describe-patch";
import { roleOf, type AssumableRole } from "../access/aws-access.ts";
import type { StoredRepository } from "../store/repositories.ts";
import { noteDrift, type DriftDependencies } from "./note-drift.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";
import { findWorkerPlace } from "./worker-place.ts";

export interface ChainQuestion {
  readonly account: Account;
  readonly operation: "ec2.image-backup" | "ec2.instance-restore";
  readonly placement: "production" | "backup";
  readonly repository?: StoredRepository;
  /** Also list what the roles can do beyond the catalogue. */
  readonly withExcess?: boolean;
}

/** Walks the chain of roles that a run of this operation uses, with the appliance's identity. */
export async function checkAccountChain(
  dependencies: Pick<RunDependencies, "access" | "queries" | "installation">,
  question: ChainQuestion,
  call: { readonly signal: AbortSignal },
): Promise<ChainReport> {
  const { account, operation, placement } = question;
  const role = operation === "ec2.image-backup" ? "backup" : "restore";
  const launching = roleOf(account, role);
  const place = await findWorkerPlace(dependencies, { account, placement, role });
  const { subnetId } = place.account.workerConfiguration;
  const request: ChainRequest = {
    roleArn: launching.roleArn,
    roleId: role === "backup" ? "backup-ec2" : "restore-ec2",
    operations: [operation],
    placement,
    workerRoleArn: place.workerRoleArn,
    region: account.region,
    installation: dependencies.installation,
    ...(account.externalId === undefined ? {} : { externalId: account.externalId }),
    ...deployment(place, placement),
    ...repositoryValues(question.repository),
    ...(subnetId === undefined ? {} : { subnetId }),
    withExcess: question.withExcess === true,
    sessionPolicies: lentPolicies(launching, question.repository),
  };
  const prober = openProber(dependencies.access.appliance);
  try {
    return await checkChain({ prober }, request, call);
  } finally {
    prober.close();
  }
}

function deployment(place: { readonly account: Account }, placement: "production" | "backup") {
  if (placement === "production") return {};
  const { roleArn, externalId } = roleOf(place.account, "workerDeployment");
  return {
    deploymentRoleArn: roleArn,
    ...(externalId === undefined ? {} : { backupExternalId: externalId }),
  };
}

function repositoryValues(repository: StoredRepository | undefined) {
  if (repository?.roleArn === undefined || repository.kind !== "s3") return {};
  const { bucket, prefix } = parseS3Address(repository.url);
  const { bucketKeyArn, externalId, stagingBucket } = repository;
  return {
    repositoryRoleArn: repository.roleArn,
    bucket,
    bucketPrefix: prefix === "" ? "" : `${prefix}/`,
    ...(externalId === undefined ? {} : { repositoryExternalId: externalId }),
    ...(stagingBucket === undefined ? {} : { stagingBuckets: [stagingBucket] }),
    ...(bucketKeyArn === undefined ? {} : { repositoryKeyArns: [bucketKeyArn] }),
  };
}

/** Long names of bucket and prefix may leave a session policy no room. */
function lentPolicies(
  { roleArn }: AssumableRole,
  repository: StoredRepository | undefined,
): readonly SessionPolicySize[] {
  if (repository === undefined || repository.kind !== "s3") return [];
  const { bucket, prefix } = parseS3Address(repository.url);
  const { bucketKeyArn } = repository;
  const [, partition = "aws", , , domain = ""] = roleArn.split(":");
  const key = bucketKeyArn === undefined ? {} : { bucketKeyArn };
  return sessionPolicySizes({ partition, bucket, prefix, domain, ...key });
}

/** A run's first step: on a broken chain it fails with the sentences, before anything is made. */
export async function requireWholeChain(
  dependencies: DriftDependencies & Pick<RunDependencies, "installation">,
  question: ChainQuestion,
  step: StepScope,
): Promise<void> {
  const report = await checkAccountChain(dependencies, question, step);
  for (const { events, parts, roleArn, since } of await noteDrift(dependencies, { question, report }, step)) {
    const by = events.map(({ at, name, who }) => `; ${name} by ${who} at ${at}`).join("");
    await step.log(`changed since ${since.toISOString()}: ${parts.join(", ")}${by}`, roleArn);
  }
  const failed = report.findings.filter((finding) => finding.verdict === "failed");
  for (const finding of report.findings.filter(({ verdict }) => verdict === "unknown")) {
    await step.log(`not known: ${finding.sentence}`, finding.subject);
  }
  for (const { sentence, subject } of report.findings.filter(({ isNotice }) => isNotice === true))
    await step.log(sentence, subject);
  for (const patch of failed.flatMap(({ patches }) => patches ?? [])) {
    await step.log(`would mend it: ${describePatch(patch)}`);
  }
  if (failed.length > 0) {
    const sentences = [...new Set(failed.map((finding) => finding.sentence))];
    throw new GarrisonError("role-chain-broken", sentences.join(" "), {
      details: { findings: failed.slice(0, 20) },
    });
  }
  await step.log(`${report.findings.length} links of the role chain hold`);
}
