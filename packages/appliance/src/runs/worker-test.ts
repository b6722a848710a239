import type { Account } from "@garrison/api/schemas/accounts";
import type { NewWorkerTest } from "@garrison/api/schemas/runs";
import { workerTestNetwork } from "@garrison/api/worker-test-network";
import { workerCheckNames, type WorkerCheck, type WorkerTestReport } from "@garrison/api/schemas/worker-test";
import type { StoredRepository } from "../store/repositories.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** What a worker test has decided before it begins. */
export interface WorkerTest {
  readonly runId: string;
  readonly account: Account;
  readonly place: WorkerPlace;
  readonly repository: StoredRepository;
  /** Under which the probe object is written: the rights lent are those of a backup's session. */
  readonly sessionId: string;
}

/** The account as the test sees it. */
export function configureTest(account: Account, request: NewWorkerTest): Account {
  const { subnetId: _subnet, securityGroupIds: _groups, ...rest } = account.workerConfiguration;
  const { securityGroupIds, ...network } = workerTestNetwork(account, request);
  const groups = securityGroupIds === undefined ? {} : { securityGroupIds: [...securityGroupIds] };
  return { ...account, region: request.region, workerConfiguration: { ...rest, ...network, ...groups } };
}

const done: Readonly<Partial<Record<WorkerCheck["check"], string>>> = {
  "queues made": "both queues were made",
  "instance launched": "the instance was launched",
  "Systems Manager": "the instance registered with Systems Manager",
  "program started": "the worker's program was fetched, verified and started",
};

/** The checks of a worker's start, passed, up to one of them. */
export function passedUpTo(
  last: WorkerCheck["check"],
  { exclusive = false }: { readonly exclusive?: boolean } = {},
): readonly WorkerCheck[] {
  const end = workerCheckNames.indexOf(last) + (exclusive ? 0 : 1);
  return workerCheckNames.slice(0, end).flatMap((check) => {
    const sentence = done[check];
    return sentence === undefined ? [] : [{ check, verdict: "passed" as const, sentence }];
  });
}

/** Every check, in order: one that was not come to is not known. */
export function reportOf(checks: readonly WorkerCheck[]): WorkerTestReport {
  const blocker = checks.find(({ verdict }) => verdict === "failed")?.check ?? "an earlier check";
  return {
    checks: workerCheckNames.map(
      (check) =>
        checks.find((one) => one.check === check) ?? {
          check,
          verdict: "unknown",
          sentence: `not tried: it needs ${blocker}`,
        },
    ),
  };
}
