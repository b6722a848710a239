import { isGarrisonError } from "@garrison/core/garrison-error";
import { randomBelow, randomFraction, type Random } from "@garrison/core/random";
import { dayMs, minuteMs, secondMs } from "@garrison/core/units";
import { BackupSupervisor } from "./actors/backup-supervisor.ts";
import { runExpirer, runFencer } from "./actors/keeper-actors.ts";
import { runPruner } from "./actors/run-pruner.ts";
import { runChecker, runReader } from "./actors/run-reader.ts";
import { runRotator } from "./actors/run-rotator.ts";
import { runVandal } from "./actors/run-vandal.ts";
import type { Stage } from "./actors/stage.ts";
import { pick } from "./world/history-settings.ts";
import { ProcessKilled } from "./world/scheduler.ts";
import type { ProcessRole, SimulatedProcess } from "./world/simulated-process.ts";
import { Violation } from "./world/violation.ts";

type Activity = "backup" | "expire" | "prune" | "fence" | "read" | "check" | "rotate" | "vandalise";

const likely: readonly Activity[] = [
  "backup",
  "backup",
  "backup",
  "backup",
  "expire",
  "expire",
  "prune",
  "prune",
  "prune",
  "fence",
  "read",
  "check",
];
const mostAmbushes = 3;
const mostVandals = 4;

/** What happens in a history, and when: as its settings say, and besides wherever somebody stops at a delicate point. */
export class ActivityPlan {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #supervisor: BackupSupervisor;
  #begun = 0;
  #ambushes = 0;
  #vandals = 0;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#supervisor = new BackupSupervisor(stage, random);
  }

  planAll(): void {
    const { scheduler, settings } = this.#stage;
    const choices = settings.withRotations ? [...likely, "rotate" as const] : likely;
    let atMs = scheduler.nowMs;
    for (let number = 0; number < settings.activities; number++) {
      this.#plan(atMs, number === 0 ? "backup" : pick(this.#random, choices));
      if (randomFraction(this.#random) < 0.7) atMs += randomBelow(this.#random, settings.gapMs);
    }
    this.#planRetention(atMs + pick(this.#random, [180 * minuteMs, dayMs]));
  }

  /** When points have piled up the older ones end, and passes that overlap with each other and a backup move the rest. */
  #planRetention(atMs: number): void {
    for (const activity of ["expire", "expire"] as const) this.#plan(atMs, activity);
    let thenMs = atMs + this.#stage.settings.graceMs + 60 * minuteMs;
    for (const activity of ["prune", "backup", "prune"] as const) {
      this.#plan(thenMs, activity);
      thenMs += pick(this.#random, [0, minuteMs, 180 * minuteMs]);
    }
  }

  /** Somebody sleeps in the middle of a handshake, a commit or a pass: what it relies on ends, and is reclaimed. */
  ambush(): void {
    if (this.#ambushes >= mostAmbushes || randomFraction(this.#random) < 0.5) return;
    this.#ambushes++;
    let atMs = this.#stage.scheduler.nowMs;
    for (const activity of ["backup", "expire", "prune"] as const) {
      atMs += pick(this.#random, [5 * secondMs, minuteMs, 30 * minuteMs]);
      if (activity !== "backup" || randomFraction(this.#random) < 0.5) this.#plan(atMs, activity);
    }
  }

  /** What a pass has noted a vandal may delete, some time later. */
  async #prune(process: SimulatedProcess): Promise<void> {
    await runPruner(this.#stage, process);
    if (!this.#stage.settings.withVandal || this.#vandals >= mostVandals) return;
    this.#vandals++;
    this.#planSoon("vandalise");
  }

  /** A later pass has to miss it. */
  async #vandalise(process: SimulatedProcess): Promise<void> {
    const isAtWork = (session: string) => this.#supervisor.isAtWork(session);
    if (await runVandal(this.#stage, isAtWork, process)) this.#planSoon("prune");
  }

  #planSoon(activity: Activity): void {
    const delayMs = pick(this.#random, [minuteMs, 180 * minuteMs, 3 * dayMs]);
    this.#plan(this.#stage.scheduler.nowMs + delayMs, activity);
  }

  #plan(atMs: number, activity: Activity): void {
    this.#stage.scheduler.plan(atMs, () => this.#begin(activity));
  }

  #begin(activity: Activity): void {
    if (activity === "backup") return this.#supervisor.start();
    const [role, run] = this.#actorOf(activity);
    const name = `${role}-${++this.#begun}`;
    const { scheduler } = this.#stage;
    const ended = (error: unknown) => requireExpectedEnd(this.#stage, error);
    scheduler.spawn({ name, role, run, ended });
  }

  #actorOf(activity: Exclude<Activity, "backup">): Actor {
    const stage = this.#stage;
    const { running } = this.#supervisor;
    const actors: Readonly<Record<typeof activity, Actor>> = {
      expire: ["expirer", (process) => runExpirer(stage, running, process)],
      prune: ["pruner", (process) => this.#prune(process)],
      fence: ["fencer", (process) => runFencer(stage, running, process)],
      read: ["reader", (process) => runReader(stage, process)],
      check: ["checker", (process) => runChecker(stage, process)],
      vandalise: ["vandal", (process) => this.#vandalise(process)],
      rotate: ["rotator", (process) => runRotator(stage, process)],
    };
    return actors[activity];
  }
}

type Actor = readonly [ProcessRole, (process: SimulatedProcess) => Promise<void>];

/** Whoever is no writer may only be killed, cut off from the store, or have keys that a rotation has made old. */
export function requireExpectedEnd(stage: Stage, error: unknown): void {
  if (error === undefined || error instanceof ProcessKilled) return;
  if (isGarrisonError(error, "store-unavailable")) return;
  if (isRightlyRefused(stage, error)) return;
  const hasRotated = stage.model.keyring.repository.epoch > 1 && !stage.scheduler.isCalm;
  // With old keys a pass can't tell a tombstone signed with new ones from none, and refuses to start.
  const isOutdated = isGarrisonError(error, "keys-outdated") || isGarrisonError(error, "prune-refused");
  if (hasRotated && isOutdated) return;
  throw isGarrisonError(error) ? new Violation(9, `it failed with ${error.code}: ${error.message}`) : error;
}

/** A pass may refuse to start for points that have vanished, and for no others. */
function isRightlyRefused({ model }: Stage, error: unknown): boolean {
  if (!isGarrisonError(error, "prune-refused")) return false;
  const vanished = error.details["vanished"] as readonly { readonly session: string }[];
  return vanished.every(({ session }) => model.held.points.get(session)?.isVanished === true);
}
