import { join } from "node:path";
import { describeError } from "@garrison/core/garrison-error";
import { askElsewhere } from "@garrison/roles/proof/ask-elsewhere";
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
 * And every request that was seen is asked again about something foreign: is it denied?
 */
export async function proveRoles(
  wish: ProofWish,
  context: CliContext,
  tell: TellProgress,
): Promise<ProofRecord> {
  const bundle = await buildDemoBundle({ dataDir: wish.folder, partsDir: wish.folder }, context.signal);
  const proving = { wish, context, bundle, tell };
  const scenarios = scenariosOf(wish);
  await using stack = new AsyncDisposableStack();
  const isScoped = wish.forms.includes("scoped");
  const isBoth = isScoped && wish.forms.length > 1;
  const first = await openStage(proving, { stack, number: 1 });
  const wholeCompatible = (stage: Stage) => playAll(proving, { stage, scenarios, form: "compatible" });
  // The compatible form has a lab of its own where there are jobs for it; actions are taken out of the scoped one only.
  const second = isBoth && wish.jobs > 1 ? openStage(proving, { stack, number: 2 }) : undefined;
  const elsewhere = second?.then(wholeCompatible);
  elsewhere?.catch(() => undefined);
  const before =
    wish.forms.includes("compatible") && second === undefined ? await wholeCompatible(first) : [];
  const scoped = isScoped ? await playAll(proving, { stage: first, scenarios, form: "scoped" }) : [];
  const stages = helpersOf(proving, { stack, second, afterwards: elsewhere });
  const actions = isScoped ? await tryActions(proving, { first, stages, seen: scoped }) : [];
  const compatible = await elsewhere?.catch((error: unknown) => {
    if (context.signal.aborted) return [];
    throw error;
  });
  const played = [...scoped, ...before, ...(compatible ?? [])];
  const titles = scenarios.map(({ id, title }) => [id, title] as const);
  const sufficient = played.map(({ run }) => run);
  return { scenarios: Object.fromEntries(titles), sufficient, actions };
}

/** Opens the labs of further jobs while the first one works. */
function* helpersOf(
  proving: Proving,
  rest: {
    readonly stack: AsyncDisposableStack;
    readonly second: Promise<Stage> | undefined;
    readonly afterwards: Promise<unknown> | undefined;
  },
): Generator<Promise<Stage>> {
  const { stack, second, afterwards } = rest;
  if (second !== undefined) {
    yield (async () => {
      await afterwards;
      const stage = await second;
      await stage.bench.writeRoles("scoped", proving.context.signal);
      return stage;
    })();
  }
  for (let number = second === undefined ? 2 : 3; number <= proving.wish.jobs; number++)
    yield openStage(proving, { stack, number });
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
}

async function playAll(
  proving: Proving,
  all: {
    readonly stage: Stage;
    readonly scenarios: readonly ProofScenario[];
    readonly form: SufficientRun["form"];
  },
): Promise<readonly PlayedWhole[]> {
  const { stage, scenarios, form } = all;
  await stage.bench.writeRoles(form, proving.context.signal);
  const played: PlayedWhole[] = [];
  for (const scenario of scenarios)
    played.push({ scenario, ...(await playWhole(proving, { stage, scenario, form })) });
  return played;
}

async function playWhole(
  { context, tell }: Proving,
  whole: { readonly stage: Stage; readonly scenario: ProofScenario; readonly form: SufficientRun["form"] },
): Promise<{ readonly run: SufficientRun; readonly used: readonly LabUsedRight[] }> {
  const { stage, scenario, form } = whole;
  const startedMs = context.clock.now();
  const { outcome, used } = await runScenario(stage, { scenario, withheld: [] }, context.signal);
  const durationMs = context.clock.now() - startedMs;
  const leaves = outcome.said.includes("is left to the sweeper");
  const isSufficient = outcome.status === scenario.expected && !leaves;
  const base = { operation: scenario.operation, form, scenario: scenario.id, isSufficient, durationMs };
  tell(`${isSufficient ? "enough" : "NOT ENOUGH"}: ${scenario.title} (${form}, ${durationMs} ms)`);
  return { run: isSufficient ? base : { ...base, reason: outcome.said }, used };
}

async function tryActions(
  proving: Proving,
  at: {
    readonly first: Stage;
    readonly stages: Iterable<Promise<Stage>>;
    readonly seen: readonly PlayedWhole[];
  },
): Promise<readonly ProvenAction[]> {
  const { wish, context } = proving;
  const subjects = listProofSubjects(wish.operations).filter(
    ({ action }) => wish.actions?.includes(action) ?? true,
  );
  const kept = wish.since === undefined ? [] : keepProven(wish.since, subjects);
  const digests = new Set(kept.map(({ digest }) => digest));
  const left = subjects.filter((subject) => !digests.has(subjectDigest(subject)));
  const { trials, untried } = planTrials(left, at.seen.map(usesOf));
  // One after the other from the same list, by as many labs as there are jobs.
  const open = [...trials.entries()];
  const results = new Map<number, ProvenAction>();
  const work = async (stage: Stage): Promise<void> => {
    for (let next = open.shift(); next !== undefined && !context.signal.aborted; next = open.shift()) {
      const [place, trial] = next;
      const result = await tryTwice(proving, { first: at.first, stage, trial, seen: at.seen });
      results.set(place, result);
      tellTrial(proving, result, `${results.size}/${trials.length}`);
    }
  };
  await Promise.all([work(at.first), ...[...at.stages].map((stage) => joinWork(proving, stage, work))]);
  const tried = trials.map((trial, place) => results.get(place) ?? undecided(trial, "the proof was stopped"));
  const rest = untried.map(({ subject, verdict }) => ({ ...nameOf(subject), verdict }));
  return inCatalogueOrder([...kept, ...tried, ...rest], subjects);
}

/** A further lab that can't be opened any more since the proof was stopped is no failure. */
async function joinWork(
  { context }: Proving,
  opening: Promise<Stage>,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  try {
    await work(await opening);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

type Attempt = {
  /** Whose lab was seen: its installation is in the requests. */
  readonly first: Stage;
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
  const { role, grant, action, verdict, effect, namedBy, scenario } = result;
  const felt =
    effect === undefined ? "" : `, ${effect}, named by the ${namedBy === "run" ? "run" : "call log"}`;
  tell(`${progress} ${verdict.toUpperCase()}: ${role} ${grant} ${action} (${scenario}${felt})`);
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
  return { scenario: scenario.id, uses };
}

async function tryTrial({ context }: Proving, at: Attempt): Promise<ProvenAction> {
  const { subject, roleArn: arn, statements } = at.trial;
  const { scenario, used } = at.seen.find(({ scenario: { id } }) => id === at.trial.scenario)!;
  const { action } = subject;
  const withheld = statements.map((statement) => ({ roleArn: arn, action, statement }));
  const { outcome } = await runScenario(at.stage, { scenario, withheld }, context.signal);
  const { kind, expected } = scenario;
  const judged = judgeTrial({ roleArn: arn, action, isCheck: kind === "check", expected, outcome });
  const request = used.find(
    (one) => one.roleArn === arn && one.action === action && one.statement === statements[0],
  )!.request;
  return {
    ...nameOf(subject),
    ...judged,
    scenario: scenario.id,
    ...(statements.length > 1 ? { sharedWith: statements.slice(1) } : {}),
    ...askElsewhere(subject, documentsOf(at.first.bench, arn), request),
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
