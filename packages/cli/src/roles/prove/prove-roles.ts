import { join } from "node:path";
import { describeError } from "@garrison/core/garrison-error";
import { askElsewhere } from "@garrison/roles/proof/ask-elsewhere";
import { explainInsufficient } from "@garrison/roles/proof/explain-insufficient";
import { judgeTrial } from "@garrison/roles/proof/judge-trial";
import { planTrials, type ProofTrial, type ScenarioUse } from "@garrison/roles/proof/plan-trials";
import type { ProofRecord, ProvenAction, SufficientRun } from "@garrison/roles/proof/proof-record";
import { keepProven } from "@garrison/roles/proof/keep-proven";
import { listProofSubjects, type ProofSubject } from "@garrison/roles/proof/proof-subject";
import { subjectDigest } from "@garrison/roles/proof/subject-digest";
import type { CliContext } from "../../cli-context.ts";
import { buildDemoBundle, type DemoBundle } from "../../demo/demo-appliance.ts";
import type { LabUsedRight } from "./ask-lab.ts";
import { openProofBench, type ProofBench } from "./proof-bench.ts";
import { placedRoles, roleArn } from "./proof-names.ts";
import { proofScenarios, type ProofScenario } from "./proof-scenarios.ts";
import { openProofServers } from "./proof-servers.ts";
import { runScenario, type Stage } from "./run-scenario.ts";
import { shareOut } from "./share-out.ts";

export interface ProofWish {
  readonly operations: readonly string[];
  readonly forms: readonly ("scoped" | "compatible")[];
  /** Only these actions are taken away; absent: all. */
  readonly actions?: readonly string[];
  /** Only these scenarios; absent: all of the operations. */
  readonly scenarios?: readonly string[];
  /** An earlier proof: what was decided of a right that is still the same is not tried again. */
  readonly since?: Pick<ProofRecord, "actions">;
  /** How many labs are worked on at once. */
  readonly jobs: number;
  /** How long a run waits for a worker that has fallen silent. */
  readonly patienceMs: number;
  /** Where the labs keep their state. */
  readonly folder: string;
}

/** Told as it goes: one line for each scenario and each trial. */
export type TellProgress = (line: string) => void;

interface Proving {
  readonly wish: ProofWish;
  readonly context: CliContext;
  readonly bundle: DemoBundle;
  readonly tell: TellProgress;
}

/**
 * Proves by execution. First every scenario with all rights, in each form: is it enough? The lab counts which statement
 * gave which call. Then every action that was used is taken out of its statement and the scenario run again: is it felt?
 * And every request that was seen is asked again about something foreign: is it denied? As many labs as there are jobs
 * take the next thing to do from one list.
 */
export async function proveRoles(
  wish: ProofWish,
  context: CliContext,
  tell: TellProgress,
): Promise<ProofRecord> {
  const { signal } = context;
  const bundle = await buildDemoBundle({ dataDir: wish.folder, partsDir: wish.folder }, signal);
  const proving = { wish, context, bundle, tell };
  await using stack = new AsyncDisposableStack();
  const stages = Array.from({ length: wish.jobs }, (_, index) =>
    openStage(proving, { stack, number: index + 1 }),
  );
  try {
    return await proveOn(proving, stages);
  } finally {
    // One that is still opening is put on the stack when it is open.
    await Promise.allSettled(stages);
  }
}

async function proveOn(proving: Proving, stages: readonly Promise<Stage>[]): Promise<ProofRecord> {
  const { context, wish } = proving;
  const scenarios = scenariosOf(wish);
  const wholeRuns = (form: SufficientRun["form"]) =>
    !wish.forms.includes(form)
      ? []
      : scenarios.map((scenario) => (stage: Stage) => playWhole(proving, { stage, scenario, form }));
  const scoped = (await shareOut(stages, wholeRuns("scoped"), context)).filter((one) => one !== undefined);
  // The compatible form is only run: rights are taken out of the scoped one.
  const { trials, others } = planActions(wish, scoped);
  const count = { done: 0, all: trials.length };
  const rest = await shareOut<Stage, PlayedWhole | ProvenAction>(
    stages,
    [
      ...wholeRuns("compatible"),
      ...longestFirst(trials, scoped).map((trial) => async (stage: Stage) => {
        const result = await tryTwice(proving, { stage, trial, seen: scoped });
        tellTrial(proving, result, `${++count.done}/${count.all}`);
        return result;
      }),
    ],
    context,
  );
  const compatible = rest.filter((one) => one !== undefined && "run" in one);
  const tried = rest.filter((one) => one !== undefined && "verdict" in one);
  return {
    scenarios: Object.fromEntries(scenarios.map(({ id, title }) => [id, title] as const)),
    sufficient: [...scoped, ...compatible].map(({ run }) => run),
    actions: inCatalogueOrder([...others, ...tried, ...stopped(trials, tried)], subjectsOf(wish)),
  };
}

/** Trials that were not begun when the proof was stopped. */
function stopped(
  trials: readonly ProofTrial[],
  tried: readonly Pick<ProvenAction, "digest">[],
): readonly ProvenAction[] {
  const done = new Set(tried.map(({ digest }) => digest));
  return trials
    .filter(({ subject }) => !done.has(subjectDigest(subject)))
    .map((trial) => undecided(trial, "the proof was stopped"));
}

function scenariosOf({ operations, scenarios }: ProofWish): readonly ProofScenario[] {
  return proofScenarios.filter(
    ({ id, operation }) => operations.includes(operation) && (scenarios?.includes(id) ?? true),
  );
}

async function openStage(
  { wish, context, bundle }: Proving,
  { stack, number }: { readonly stack: AsyncDisposableStack; readonly number: number },
): Promise<Stage> {
  const folder = join(wish.folder, `bench-${number}`);
  const bench = stack.use(await openProofBench({ folder, bundle, patienceMs: wish.patienceMs }, context));
  return { bench, servers: openProofServers(bench) };
}

interface PlayedWhole {
  readonly scenario: ProofScenario;
  readonly run: SufficientRun;
  readonly used: readonly LabUsedRight[];
  /** Whose installation is in the requests. */
  readonly bench: ProofBench;
}

async function playWhole(
  { context, tell }: Proving,
  whole: { readonly stage: Stage; readonly scenario: ProofScenario; readonly form: SufficientRun["form"] },
): Promise<PlayedWhole> {
  const { stage, scenario, form } = whole;
  const { bench } = stage;
  await bench.writeRoles(form, context.signal);
  const startedMs = context.clock.now();
  const { outcome, used } = await runScenario(stage, { scenario, withheld: [] }, context.signal);
  const durationMs = context.clock.now() - startedMs;
  const reason = explainInsufficient(scenario.expected, outcome);
  const isSufficient = reason === undefined;
  const base = { operation: scenario.operation, form, scenario: scenario.id, isSufficient, durationMs };
  tell(`${isSufficient ? "enough" : "NOT ENOUGH"}: ${scenario.title} (${form}, ${durationMs} ms)`);
  if (reason !== undefined) tell(reason);
  return { scenario, run: isSufficient ? base : { ...base, reason }, used, bench };
}

function subjectsOf({ actions, forms, operations }: ProofWish): readonly ProofSubject[] {
  if (!forms.includes("scoped")) return [];
  return listProofSubjects(operations).filter(({ action }) => actions?.includes(action) ?? true);
}

interface PlannedActions {
  readonly trials: readonly ProofTrial[];
  /** What needs no trial. */
  readonly others: readonly ProvenAction[];
}

function planActions(wish: ProofWish, seen: readonly PlayedWhole[]): PlannedActions {
  const subjects = subjectsOf(wish);
  const kept = wish.since === undefined ? [] : keepProven(wish.since, subjects);
  const digests = new Set(kept.map(({ digest }) => digest));
  const left = subjects.filter((subject) => !digests.has(subjectDigest(subject)));
  const { trials, untried } = planTrials(left, seen.map(usesOf));
  return {
    trials,
    others: [...kept, ...untried.map(({ subject, verdict }) => ({ ...nameOf(subject), verdict }))],
  };
}

/** So that no lab has a long one left when the others are done. */
function longestFirst(trials: readonly ProofTrial[], seen: readonly PlayedWhole[]): readonly ProofTrial[] {
  const durations = new Map(seen.map(({ run }) => [run.scenario, run.durationMs]));
  const durationOf = ({ scenario }: ProofTrial): number => durations.get(scenario) ?? 0;
  return trials.toSorted((left, right) => durationOf(right) - durationOf(left));
}

type Attempt = {
  readonly stage: Stage;
  readonly trial: ProofTrial;
  readonly seen: readonly PlayedWhole[];
};

/** What goes wrong around a trial (a lab under too much load) must not cost all others. */
async function tryTwice(proving: Proving, attempt: Attempt): Promise<ProvenAction> {
  try {
    return await tryTrial(proving, attempt);
  } catch (first) {
    proving.tell(`once more: ${describeError(first)}`);
    return tryTrial(proving, attempt).catch((error: unknown) =>
      undecided(attempt.trial, describeError(error)),
    );
  }
}

function undecided({ subject, scenario }: ProofTrial, reason: string): ProvenAction {
  return { ...nameOf(subject), verdict: "undecided", scenario, reason };
}

function tellTrial({ tell }: Proving, result: ProvenAction, progress: string): void {
  const { role, grant, action, verdict, effect, namedBy, scenario, reason } = result;
  const felt =
    effect === undefined ? "" : `, ${effect}, named by the ${namedBy === "run" ? "run" : "call log"}`;
  tell(`${progress} ${verdict.toUpperCase()}: ${role} ${grant} ${action} (${scenario}${felt})`);
  if (reason !== undefined) tell(reason);
}

const rolesByArn = new Map(
  placedRoles.map(({ accountId, role }) => [roleArn(accountId, `garrison-${role}`), role]),
);

function usesOf({ scenario, used }: PlayedWhole): ScenarioUse {
  const uses = used.flatMap(({ roleArn: arn, action, statement, isAllowed, aloneCount }) => {
    const role = rolesByArn.get(arn);
    if (role === undefined || statement === undefined || !isAllowed) return [];
    return [{ role, roleArn: arn, action, statement, isAlone: aloneCount > 0 }];
  });
  const { tries } = scenario;
  return { scenario: scenario.id, uses, ...(tries === undefined ? {} : { tries }) };
}

async function tryTrial({ context }: Proving, at: Attempt): Promise<ProvenAction> {
  const { subject, roleArn: arn, statements } = at.trial;
  const { bench, scenario, used } = at.seen.find(({ scenario: { id } }) => id === at.trial.scenario)!;
  const { action } = subject;
  const withheld = statements.map((statement) => ({ roleArn: arn, action, statement }));
  await at.stage.bench.writeRoles("scoped", context.signal);
  const { outcome } = await runScenario(at.stage, { scenario, withheld }, context.signal);
  const { kind, expected } = scenario;
  const usual = used.filter(({ isAllowed }) => !isAllowed);
  const isCheck = kind === "check";
  const judged = judgeTrial({ roleArn: arn, action, isCheck, expected, outcome, usual });
  const request = used.find(
    (one) => one.roleArn === arn && one.action === action && one.statement === statements[0],
  )!.request;
  return {
    ...nameOf(subject),
    ...judged,
    scenario: scenario.id,
    ...(statements.length > 1 ? { sharedWith: statements.slice(1) } : {}),
    ...askElsewhere(subject, documentsOf(bench, arn), request),
  };
}

function documentsOf(bench: ProofBench, arn: string) {
  const placed = placedRoles.find(({ accountId, role }) => roleArn(accountId, `garrison-${role}`) === arn)!;
  return bench.documentsOf(placed);
}

type Named = Pick<ProvenAction, "role" | "operation" | "grant" | "action" | "digest">;

function nameOf(subject: ProofSubject): Named {
  const { role, operation, grant, action } = subject;
  return { role, operation, grant: grant.id, action, digest: subjectDigest(subject) };
}

function inCatalogueOrder(
  actions: readonly ProvenAction[],
  subjects: readonly ProofSubject[],
): readonly ProvenAction[] {
  const places = new Map(subjects.map((subject, place) => [subjectDigest(subject), place]));
  const placeOf = ({ digest }: Named): number => places.get(digest) ?? 0;
  return [...actions].sort((left, right) => placeOf(left) - placeOf(right));
}
