import { hasEnded, type NewRunRequest, type RunWithSteps } from "@garrison/api/schemas/runs";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { storeNoteName } from "@garrison/repository/store/probe-store";
import type { ScenarioOutcome } from "@garrison/roles/proof/judge-trial";
import { readUsedRights, withholdRights, type LabUsedRight, type LabWithheldRight } from "./ask-lab.ts";
import { createRepository, type ProofBench } from "./proof-bench.ts";
import { proofNames, roleArn } from "./proof-names.ts";
import { changeRoles } from "./change-roles.ts";
import { listLeftovers } from "./list-leftovers.ts";
import type { ProofDeed, ProofScenario } from "./proof-scenarios.ts";
import { requirePoint, type ProofServer, type ProofServers } from "./proof-servers.ts";

export interface Stage {
  readonly bench: ProofBench;
  readonly servers: ProofServers;
}

export interface PlayedScenario {
  readonly outcome: ScenarioOutcome;
  /** What roles used and were denied. */
  readonly used: readonly LabUsedRight[];
}

/** Plays one scenario, with these rights missing besides those that it is about, and leaves the stage as it was. */
export async function runScenario(
  { bench, servers }: Stage,
  played: { readonly scenario: ProofScenario; readonly withheld: readonly LabWithheldRight[] },
  signal: AbortSignal,
): Promise<PlayedScenario> {
  const { scenario } = played;
  const server = await prepare({ bench, servers }, scenario, signal);
  await using _changes =
    scenario.changed === undefined ? undefined : await changeAfterCheck(bench, scenario, signal);
  const before = new Set(await listLeftovers(bench, signal));
  const mishap = (scenario.withheld ?? []).map(({ role, accountId, action }) => ({
    roleArn: roleArn(accountId, `garrison-${role}`),
    action,
  }));
  await withholdRights(bench.door, [...mishap, ...played.withheld], signal);
  try {
    const shown = await play({ bench, servers }, { scenario, server }, signal);
    const used = await readUsedRights(bench.door, signal);
    const left = (await listLeftovers(bench, signal)).filter((one) => !before.has(one));
    const shortOf = (scenario.deeds ?? []).filter((deed) => !isDone(deed, shown.said));
    const refusals = used
      .filter(({ isAllowed }) => !isAllowed)
      .map(({ roleArn: arn, action, request }) => ({
        roleArn: arn,
        action,
        resource: request.resource.resource,
      }));
    const outcome = {
      ...shown,
      refusals,
      leftBehind: [...(shown.leftBehind ?? []), ...left],
      shortOf: [...new Set(shortOf.map(({ what }) => what))],
    };
    return { outcome, used };
  } finally {
    await withholdRights(bench.door, [], signal);
    if (scenario.kind === "backup" || scenario.kind === "restore") await tidy({ bench, servers }, signal);
  }
}

type Shown = Omit<ScenarioOutcome, "refusals" | "shortOf">;

function isDone({ line }: ProofDeed, said: string): boolean {
  return said.split("\n").some((one) => line.every((part) => one.includes(part)));
}

/** The check with all rights is what the run's own is compared with. */
async function changeAfterCheck(
  bench: ProofBench,
  scenario: ProofScenario,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { said, status } = await playCheck(bench, scenario, signal);
  if (status === "failed") throw new GarrisonError("role-chain-broken", `before the change: ${said}`);
  return changeRoles(bench, scenario.changed ?? [], signal);
}

/** With all rights: a server of the kind that is asked for, and for a first backup no program that is staged already. */
async function prepare(stage: Stage, scenario: ProofScenario, signal: AbortSignal): Promise<ProofServer> {
  const { bench, servers } = stage;
  const server = await servers.of(scenario.server, signal);
  if (scenario.kind === "backup" && scenario.server === "new") await emptyStaging(bench, signal);
  const needsPoint = scenario.server.endsWith("backed-up");
  if (!needsPoint || server.point !== undefined) return server;
  const { repositoryId } = bench;
  const run = await completeRun(bench, { kind: "backup", resource: server.arn, repositoryId }, signal);
  if (run.status !== "succeeded" || run.point === undefined) {
    throw new GarrisonError("run-failed", `preparing a server with a restore point: ${tellRun(run)}`);
  }
  servers.backedUp(server, run.point);
  return servers.of(scenario.server, signal);
}

async function emptyStaging({ operator }: ProofBench, signal: AbortSignal): Promise<void> {
  const bucket = proofNames.stagingBucket;
  const store = openS3ObjectStore({ clients: operator.backup, bucket, prefix: "" });
  for await (const { key } of store.list("", { signal })) await store.delete(key, { signal });
}

async function play(
  { bench, servers }: Stage,
  { scenario, server }: { readonly scenario: ProofScenario; readonly server: ProofServer },
  signal: AbortSignal,
): Promise<Shown> {
  try {
    return await playOnce({ bench, servers }, { scenario, server }, signal);
  } catch (error) {
    // Refused before there was a run: the appliance looks at the resource first.
    if (signal.aborted || !isGarrisonError(error)) throw error;
    return { status: "failed", said: describeError(error) };
  }
}

async function playOnce(
  { bench, servers }: Stage,
  { scenario, server }: { readonly scenario: ProofScenario; readonly server: ProofServer },
  signal: AbortSignal,
): Promise<Shown> {
  const { placement } = scenario;
  if (scenario.kind === "check") return playCheck(bench, scenario, signal);
  if (scenario.kind === "repository") return playRepository(bench, signal);
  if (scenario.kind === "backup") {
    const { repositoryId } = bench;
    const run = await completeRun(
      bench,
      { kind: "backup", resource: server.arn, placement, repositoryId },
      signal,
    );
    // The session's id is noted before there is a point: only what was recorded makes another server of it.
    const isRecorded = run.steps.some(({ name, status }) => name === recordStep && status === "done");
    if (isRecorded && run.point !== undefined) servers.backedUp(server, run.point);
    return shownOf(run);
  }
  const { instanceProfile } = scenario;
  const profile = instanceProfile === undefined ? {} : { instanceProfile };
  const request = { kind: "instance-restore", point: requirePoint(server), placement, ...profile } as const;
  return shownOf(await completeRun(bench, request, signal));
}

const recordStep = "record the restore point";

async function playCheck(
  { api }: ProofBench,
  { operation, placement }: ProofScenario,
  signal: AbortSignal,
): Promise<Shown> {
  const params = { accountId: proofNames.productionAccount };
  const report = await api.call("checkAccountRoles", { params, body: { operation, placement } }, signal);
  const wanting = report.findings.filter(({ verdict }) => verdict !== "passed");
  return {
    status: report.verdict === "passed" ? "succeeded" : "failed",
    said: wanting.map(({ verdict, link, sentence }) => `${verdict} ${link}: ${sentence}`).join("\n"),
  };
}

/** Each below a prefix of its own, inside the one that the role covers. */
async function playRepository(bench: ProofBench, signal: AbortSignal): Promise<Shown> {
  const { bucket, prefix: own } = proofNames;
  const prefix = `${own}/another-${Buffer.from(bench.random.bytes(4)).toString("hex")}`;
  await createRepository(bench, prefix, signal);
  const store = openS3ObjectStore({ clients: bench.operator.backup, bucket, prefix });
  const leftBehind: string[] = [];
  for await (const { key } of store.list("probe/", { signal }))
    if (key !== storeNoteName) leftBehind.push(`${key} (object)`);
  return { status: "succeeded", said: "", leftBehind };
}

async function completeRun(
  { api }: ProofBench,
  body: NewRunRequest,
  signal: AbortSignal,
): Promise<RunWithSteps> {
  const { id } = await api.call("createRun", { body }, signal);
  for await (const run of api.watchRun(id, signal)) if (hasEnded(run)) return run;
  return api.call("readRun", { params: { runId: id } }, signal);
}

function shownOf(run: RunWithSteps): Shown {
  const { failure, status, steps } = run;
  const said = tellRun(run);
  if (status === "succeeded") return { status: "succeeded", said };
  const step = steps.find((one) => one.status === "failed")?.name ?? "before its first step";
  return { status: "failed", said, failedAt: `${step}: ${failure?.code ?? status}` };
}

function tellRun({ failure, steps }: RunWithSteps): string {
  const lines = steps.flatMap(({ name, status, log }) =>
    log.map(
      ({ message, resource }) =>
        `${name} (${status}): ${resource === undefined ? "" : `${resource}: `}${message.replaceAll("\n", " ")}`,
    ),
  );
  return [failure === undefined ? "" : JSON.stringify(failure), ...lines].join("\n");
}

async function tidy({ bench, servers }: Stage, signal: AbortSignal): Promise<void> {
  await bench.api.call("executeSweep", {}, signal);
  await servers.removeOthers(signal);
}
