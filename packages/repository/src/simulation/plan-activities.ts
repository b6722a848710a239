import { isGarrisonError } from "@garrison/core/garrison-error";
import { randomBelow, randomFraction, type Random } from "@garrison/core/random";
import { minuteMs, secondMs } from "@garrison/core/units";
import { BackupSupervisor } from "./actors/backup-supervisor.ts";
import { runExpirer, runFencer } from "./actors/keeper-actors.ts";
import { runPruner } from "./actors/run-pruner.ts";
import { runChecker, runReader } from "./actors/run-reader.ts";
import { runRotator } from "./actors/run-rotator.ts";
import type { Stage } from "./actors/stage.ts";
import { pick } from "./world/history-settings.ts";
import { ProcessKilled } from "./world/scheduler.ts";
import type { ProcessRole, SimulatedProcess } from "./world/simulated-process.ts";
import { Violation } from "./world/violation.ts";

type Activity = "backup" | "expire" | "prune" | "fence" | "read" | "check" | "rotate";

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

/** What happens in a history, and when: as its settings say, and besides wherever somebody stops at a delicate point. */
export class ActivityPlan {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #supervisor: BackupSupervisor;
  #begun = 0;
  #ambushes = 0;

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
      prune: ["pruner", (process) => runPruner(stage, process)],
      fence: ["fencer", (process) => runFencer(stage, running, process)],
      read: ["reader", (process) => runReader(stage, process)],
      check: ["checker", (process) => runChecker(stage, process)],
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
  const hasRotated = stage.model.keyring.repository.epoch > 1 && !stage.scheduler.isCalm;
  // With old keys a pass can't tell a tombstone signed with new ones from none, and refuses to start.
  const isOutdated = isGarrisonError(error, "keys-outdated") || isGarrisonError(error, "prune-refused");
  if (hasRotated && isOutdated) return;
  throw isGarrisonError(error) ? new Violation(9, `it failed with ${error.code}: ${error.message}`) : error;
}
