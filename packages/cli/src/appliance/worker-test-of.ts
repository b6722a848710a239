import type { RunWithSteps } from "@garrison/api/schemas/runs";
import {
  workerTestReportSchema,
  type WorkerCheck,
  type WorkerTestReport,
} from "@garrison/api/schemas/worker-test";

/** A worker test that has ended, as it is told. */
export interface EndedWorkerTest extends WorkerTestReport {
  readonly run: string;
  readonly status: RunWithSteps["status"];
  readonly verdict: WorkerCheck["verdict"];
  /** Why it ended without a report: stopped, or failed outside its checks. */
  readonly failure?: string;
  readonly removed: readonly { readonly what: string; readonly resource: string }[];
  /** Recorded, and removed by the appliance's sweep later. */
  readonly left: readonly string[];
}

const removedPattern = /^removed (.+)$/;
const leftPattern = / is left to the sweeper/;

export function workerTestOf(run: RunWithSteps): EndedWorkerTest {
  const report = workerTestReportSchema.safeParse(run.result ?? run.failure?.details);
  const checks = report.success ? report.data.checks : [];
  const lines = run.steps.flatMap(({ log }) => log);
  return {
    run: run.id,
    status: run.status,
    verdict: verdictOf(run, checks),
    checks,
    ...(report.success || run.failure === undefined ? {} : { failure: run.failure.message }),
    removed: lines.flatMap(({ message, resource }) => {
      const what = removedPattern.exec(message)?.[1];
      return what === undefined ? [] : [{ what, resource: resource ?? "" }];
    }),
    left: lines.map(({ message }) => message).filter((message) => leftPattern.test(message)),
  };
}

function verdictOf({ status }: RunWithSteps, checks: readonly WorkerCheck[]): WorkerCheck["verdict"] {
  if (status !== "succeeded") return "failed";
  return checks.every(({ verdict }) => verdict === "passed") ? "passed" : "unknown";
}
