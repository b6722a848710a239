import { parseS3Address } from "@garrison/aws/s3-address";
import {
  ebsReadPolicy,
  ebsWritePolicy,
  repositoryReadPolicy,
  repositoryWritePolicy,
} from "@garrison/aws/session-policies";
import type { TaskCredentials } from "@garrison/channel/messages";
import type { Account } from "@garrison/api/schemas/accounts";
import { roleOf, type AssumableRole } from "../access/aws-access.ts";
import { repositoryRole } from "../access/repository-access.ts";
import type { StoredRepository } from "../store/repositories.ts";
import type { RunDependencies } from "./run-dependencies.ts";

export interface BackupLoan {
  readonly runId: string;
  readonly account: Account;
  readonly repository: StoredRepository;
  readonly domain: string;
  readonly sessionId: string;
  /** Runs whose snapshots may be read: this one, and the one that made the base. */
  readonly runs: readonly string[];
  readonly kmsKeyArns: readonly string[];
}

/** Read these runs' snapshots; create objects of one session. Nothing else. */
export async function lendForBackup(
  dependencies: RunDependencies,
  loan: BackupLoan,
  call: { readonly signal: AbortSignal },
): Promise<TaskCredentials> {
  const role = roleOf(loan.account, "backup");
  const { partition, region } = placeOf(role);
  const readBlocks = ebsReadPolicy({ partition, region, runs: loan.runs, kmsKeyArns: loan.kmsKeyArns });
  const scope = repositoryScope(dependencies, loan);
  const sessionName = `garrison-${loan.runId}`;
  return {
    data: await dependencies.access.lend(role, { sessionPolicy: readBlocks, sessionName }, call),
    repository: await dependencies.access.lend(
      repositoryRole(loan.repository, dependencies.region),
      { sessionPolicy: repositoryWritePolicy({ ...scope, sessionId: loan.sessionId }), sessionName },
      call,
    ),
  };
}

export interface RestoreLoan {
  readonly runId: string;
  readonly account: Account;
  readonly repository: StoredRepository;
  readonly domain: string;
  readonly snapshotIds: readonly string[];
  readonly kmsKeyArns: readonly string[];
}

/** Put blocks into these pending snapshots; read one domain. Nothing else. */
export async function lendForRestore(
  dependencies: RunDependencies,
  loan: RestoreLoan,
  call: { readonly signal: AbortSignal },
): Promise<TaskCredentials> {
  const role = roleOf(loan.account, "restore");
  const { snapshotIds, kmsKeyArns } = loan;
  const writeBlocks = ebsWritePolicy({ ...placeOf(role), snapshotIds, kmsKeyArns });
  const sessionName = `garrison-${loan.runId}`;
  return {
    data: await dependencies.access.lend(role, { sessionPolicy: writeBlocks, sessionName }, call),
    repository: await dependencies.access.lend(
      repositoryRole(loan.repository, dependencies.region),
      { sessionPolicy: repositoryReadPolicy(repositoryScope(dependencies, loan)), sessionName },
      call,
    ),
  };
}

function repositoryScope(
  dependencies: RunDependencies,
  loan: { readonly repository: StoredRepository; readonly domain: string },
) {
  const { bucket, prefix } = parseS3Address(loan.repository.url);
  const { bucketKeyArn } = loan.repository;
  const { partition } = placeOf(repositoryRole(loan.repository, dependencies.region));
  return {
    partition,
    bucket,
    prefix,
    domain: loan.domain,
    ...(bucketKeyArn === undefined ? {} : { bucketKeyArn }),
  };
}

function placeOf(role: AssumableRole): { readonly partition: string; readonly region: string } {
  return { partition: role.roleArn.split(":")[1] ?? "aws", region: role.region };
}
