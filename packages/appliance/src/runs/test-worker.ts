import { newWorkerTestSchema, type Run } from "@garrison/api/schemas/runs";
import type { WorkerCheck } from "@garrison/api/schemas/worker-test";
import { permitWorkerLaunch } from "@garrison/aws/ec2/launch-worker-instance";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import { newSessionId } from "@garrison/repository/point/session-id";
import { readAccount } from "../store/accounts.ts";
import { readRepositoryRecord } from "../store/repositories.ts";
import { listSteps } from "../store/run-steps.ts";
import { checkAccountChain } from "./check-run-chain.ts";
import { chooseImage, describeLaunch, describeTags } from "./describe-launch.ts";
import { provisionWorker } from "./provision-worker.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";
import { testFromWorker } from "./test-from-worker.ts";
import { undoRun } from "./undo-run.ts";
import { configureTest, passedUpTo, reportOf, type WorkerTest } from "./worker-test.ts";
import { findWorkerPlace } from "./worker-place.ts";
import { workerClients, type WorkerRef } from "./worker-ref.ts";

/** Nobody needs a test's worker for longer, whatever becomes of the appliance. */
const testLifeMs = 60 * minuteMs;

/**
 * Proves by doing that workers can work in a subnet: role chain, permission to launch, launch, Systems Manager, program,
 * queues, S3 and EBS under lent rights. What does not work ends it, since what comes after needs it; then everything is
 * removed. Throws `worker-test-failed` with the report.
 */
export async function testWorker(
  dependencies: RunDependencies,
  scope: RunScope,
  run: Run,
): Promise<Readonly<Record<string, unknown>>> {
  const test = await scope.note("read request", () => readTest(dependencies, run));
  const short = { ...dependencies, limits: { ...dependencies.limits, workerLifeMs: testLifeMs } };
  const report = reportOf(await walk(short, scope, test));
  const failed = report.checks.filter(({ verdict }) => verdict === "failed");
  if (failed.length > 0) {
    const sentences = failed.map(({ check, sentence }) => `${check}: ${sentence}`);
    throw new GarrisonError("worker-test-failed", sentences.join(" "), { details: { ...report } });
  }
  scope.beginUndo();
  await undoRun(dependencies, scope);
  return { ...report };
}

async function readTest(dependencies: RunDependencies, run: Run): Promise<WorkerTest> {
  const { queries, clock, random } = dependencies;
  const request = newWorkerTestSchema.parse(run.request);
  const account = configureTest(await readAccount(queries, run.accountId), request);
  const place = await findWorkerPlace(dependencies, { placement: "production", account, role: "backup" });
  const repository = await readRepositoryRecord(queries, request.repositoryId ?? "");
  return { runId: run.id, account, place, repository, sessionId: newSessionId({ clock, random }) };
}

const isWhole = (checks: readonly WorkerCheck[]) => checks.every(({ verdict }) => verdict !== "failed");

async function walk(
  dependencies: RunDependencies,
  scope: RunScope,
  test: WorkerTest,
): Promise<readonly WorkerCheck[]> {
  const before = [await checkRoles(dependencies, scope, test)];
  if (!isWhole(before)) return before;
  before.push(await askPermission(dependencies, scope, test));
  if (!isWhole(before)) return before;
  const { checks, worker } = await startWorker(dependencies, scope, test);
  if (worker === undefined) return [...before, ...checks];
  return [...before, ...checks, ...(await testFromWorker(dependencies, scope, { test, worker }))];
}

function checkRoles(dependencies: RunDependencies, scope: RunScope, test: WorkerTest): Promise<WorkerCheck> {
  const { account, repository } = test;
  return scope.step("check the role chain", async (step): Promise<WorkerCheck> => {
    const question = { account, operation: "ec2.image-backup", placement: "production", repository } as const;
    const { verdict, findings } = await checkAccountChain(dependencies, question, step);
    const telling = findings.filter((finding) => finding.verdict !== "passed");
    for (const { verdict: each, sentence, subject } of telling)
      await step.log(`${each}: ${sentence}`, subject);
    const sentences = findings
      .filter((finding) => finding.verdict === verdict)
      .map(({ sentence }) => sentence);
    const sentence =
      verdict === "passed" ? `${findings.length} links hold` : [...new Set(sentences)].join(" ");
    return { check: "role chain", verdict, sentence };
  });
}

/** By a dry run with exactly what the launch will say: guardrails that ask for tags, types or images show here. */
function askPermission(
  dependencies: RunDependencies,
  scope: RunScope,
  test: WorkerTest,
): Promise<WorkerCheck> {
  const { place, runId } = test;
  const check = "launch permitted";
  return scope.step("ask whether the launch is permitted", async (step): Promise<WorkerCheck> => {
    const { installation, clock } = dependencies;
    const expires = new Date(clock.now() + testLifeMs).toISOString();
    const tags = describeTags(place, { installation, runId, workerId: "dry-run", expires });
    try {
      const imageId = await chooseImage(dependencies, place, step);
      const launch = { ...describeLaunch(place, imageId), token: `${runId}-dry`, tags };
      await permitWorkerLaunch(workerClients(dependencies, place), launch, step);
      return {
        check,
        verdict: "passed",
        sentence: `a ${launch.instanceType} from ${imageId} may be launched`,
      };
    } catch (error) {
      if (step.signal.aborted || !isGarrisonError(error)) throw error;
      return { check, verdict: "failed", sentence: describeError(error) };
    }
  });
}

interface Started {
  readonly checks: readonly WorkerCheck[];
  readonly worker?: WorkerRef;
}

async function startWorker(
  dependencies: RunDependencies,
  scope: RunScope,
  { place, repository }: WorkerTest,
): Promise<Started> {
  try {
    const worker = await provisionWorker(dependencies, scope, { place, repository });
    return { checks: passedUpTo("program started"), worker };
  } catch (error) {
    if (isGarrisonError(error, "run-cancelled")) throw error;
    const step = await scope.note("which step failed", async () => {
      const steps = await listSteps(dependencies.queries, scope.runId);
      return steps.findLast(({ status }) => status === "failed")?.name ?? "";
    });
    const check = checkOfStep[step];
    if (check === undefined) throw error;
    return { checks: [...passedUpTo(check, { exclusive: true }), failure(check, error)] };
  }
}

const failure = (check: WorkerCheck["check"], error: unknown): WorkerCheck => ({
  check,
  verdict: "failed",
  sentence: describeError(error),
});

/** Which check a step of the worker's start decides. */
const checkOfStep: Readonly<Partial<Record<string, WorkerCheck["check"]>>> = {
  "open the worker's queues": "queues made",
  "choose the worker's image": "instance launched",
  "launch the worker": "instance launched",
  "wait for the worker": "Systems Manager",
  "start the worker's program": "program started",
};
