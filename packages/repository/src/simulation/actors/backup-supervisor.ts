import { isGarrisonError } from "@garrison/core/garrison-error";
import { randomBelow, randomFraction, type Random } from "@garrison/core/random";
import { minuteMs } from "@garrison/core/units";
import { newSessionId } from "../../point/session-id.ts";
import { drawPauseMs, pick } from "../world/history-settings.ts";
import { changeDisk, type DiskState } from "../world/simulated-disk.ts";
import { ProcessKilled } from "../world/scheduler.ts";
import { createProcess, drawClockError } from "../world/simulated-process.ts";
import { Violation } from "../world/violation.ts";
import { runWriter, type BackupJob } from "./run-writer.ts";
import type { Stage } from "./stage.ts";

interface Series {
  readonly name: string;
  readonly volumeIds: readonly string[];
  readonly states: Map<string, DiskState>;
}

interface RunningJob {
  readonly job: BackupJob;
  lives: number;
}

interface EndedLane {
  readonly job: BackupJob;
  /** When the lane began. */
  readonly wasParentLive: boolean;
}

const mostLives = 4;
const mostSessions = 16;

/**
 * Does what an appliance does for backups: chooses a parent, starts a lane, starts another one when a lane dies, fails or
 * only seems to, and a new session when the old one was fenced. It knows no more than an appliance can.
 */
export class BackupSupervisor {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #series: readonly Series[];
  readonly #running = new Map<string, RunningJob>();
  readonly #aliveLanes = new Map<string, number>();
  #sessions = 0;
  #lanes = 0;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#series = [
      { name: "alpha", volumeIds: ["vol-1"], states: new Map() },
      { name: "beta", volumeIds: ["vol-1", "vol-2"], states: new Map() },
    ];
  }

  /** Sessions that have a lane running, or will have one. */
  get running(): readonly BackupJob[] {
    return [...this.#running.values()].map(({ job }) => job);
  }

  /** Whether a lane of the session is alive, or may be started again. */
  isAtWork(sessionId: string): boolean {
    return this.#running.has(sessionId) || (this.#aliveLanes.get(sessionId) ?? 0) > 0;
  }

  start(): void {
    if (this.#sessions >= mostSessions) return;
    this.#sessions++;
    const series = randomFraction(this.#random) < 0.7 ? this.#series[0]! : this.#series[1]!;
    const job = this.#drawJob(series);
    const volumes = new Map(job.volumes.map(({ volumeId, state }) => [volumeId, state]));
    this.#stage.model.expect(job.sessionId, volumes);
    this.#running.set(job.sessionId, { job, lives: mostLives });
    this.#startLane(job.sessionId);
    if (randomFraction(this.#random) < 0.25) this.#startLater(job.sessionId);
  }

  #drawJob(series: Series): BackupJob {
    const { contents } = this.#stage;
    for (const volumeId of series.volumeIds) {
      const state = changeDisk(series.states.get(volumeId) ?? new Map(), this.#random, contents);
      series.states.set(volumeId, state);
    }
    const parent = this.#drawParent(series);
    const before = parent === undefined ? undefined : this.#stage.model.contentsOf(parent);
    return {
      series: series.name,
      sessionId: this.#drawSession(parent),
      ...(parent === undefined ? {} : { parent }),
      coverage: parent === undefined || randomFraction(this.#random) < 0.3 ? "full" : "changes",
      concurrency: 1 + randomBelow(this.#random, 4),
      slowRate: pick(this.#random, [0, 0, 0.1, 0.4]),
      volumes: series.volumeIds.map((volumeId) => {
        const parentState = before?.get(volumeId);
        const state = series.states.get(volumeId)!;
        const identity = `disk:${series.name}/${volumeId}/${this.#sessions}`;
        return { volumeId, identity, state, ...(parentState === undefined ? {} : { parentState }) };
      }),
    };
  }

  /** Mostly the newest point; sometimes an older one, one that has ended, or one that was never committed. */
  #drawParent(series: Series): string | undefined {
    const { model } = this.#stage;
    const choice = randomFraction(this.#random);
    if (choice < 0.1) return undefined;
    const isOurs = (session: string) => this.#seriesOf.get(session) === series.name;
    const live = model.livePoints().filter(({ session }) => isOurs(session));
    if (choice < 0.75) return live.at(-1)?.session;
    const ever = [...this.#seriesOf.keys()].filter(isOurs);
    return choice < 0.85 ? pick(this.#random, ever) : pick(this.#random, live)?.session;
  }

  readonly #seriesOf = new Map<string, string>();

  #drawSession(parent: string | undefined): string {
    const { scheduler, settings } = this.#stage;
    const appliance = createProcess({
      name: `appliance ${this.#sessions}`,
      role: "fencer",
      clockError: drawClockError(this.#random, settings.wrongClocks),
      nowMs: () => scheduler.nowMs,
      sleep: () => Promise.resolve(),
    });
    return newSessionId({ clock: appliance.clock, random: this.#random }, parent);
  }

  #startLane(sessionId: string): void {
    const running = this.#running.get(sessionId);
    if (running === undefined || running.lives-- <= 0) return;
    const { job } = running;
    const wasParentLive = this.#isParentLive(job);
    this.#seriesOf.set(sessionId, job.series);
    this.#countLane(sessionId, 1);
    this.#stage.scheduler.spawn({
      name: `writer-${++this.#lanes}`,
      role: "writer",
      run: (process) => runWriter(this.#stage, job, process),
      ended: (error) => this.#laneEnded({ job, wasParentLive }, error),
    });
  }

  #startLater(sessionId: string): void {
    const { scheduler } = this.#stage;
    const delayMs = pick(this.#random, [minuteMs, drawPauseMs(this.#random)]);
    scheduler.plan(scheduler.nowMs + delayMs, () => this.#startLane(sessionId));
  }

  #countLane(sessionId: string, by: 1 | -1): void {
    this.#aliveLanes.set(sessionId, (this.#aliveLanes.get(sessionId) ?? 0) + by);
  }

  #laneEnded(lane: EndedLane, error: unknown): void {
    const { sessionId } = lane.job;
    this.#countLane(sessionId, -1);
    if (error === undefined) return void this.#running.delete(sessionId);
    if (error instanceof ProcessKilled) return this.#again(sessionId);
    if (!isGarrisonError(error)) throw error;
    if (error.code === "store-unavailable") return this.#again(sessionId);
    if (!this.#mayFail(lane, error.code)) {
      throw new Violation(9, `a backup into ${sessionId} failed: ${error.code}: ${error.message}`);
    }
    this.#running.delete(sessionId);
    this.#stage.scheduler.counts.add("sessions lost", error.code);
    if (randomFraction(this.#random) < 0.7) this.start();
  }

  /** What may stop a session for good, and when. */
  #mayFail({ job, wasParentLive }: EndedLane, code: string): boolean {
    if (code === "parent-unusable") return !wasParentLive || !this.#isParentLive(job);
    const hasRotated = this.#stage.model.keyring.repository.epoch > 1;
    if (hasRotated && (code === "keys-outdated" || code === "session-changed")) return true;
    const isOver = !this.#stage.model.held.isOpen(job.sessionId);
    return isOver && (code === "session-fenced" || code === "object-missing");
  }

  #isParentLive({ parent }: BackupJob): boolean {
    const { held } = this.#stage.model;
    const point = parent === undefined ? undefined : held.points.get(parent);
    return point !== undefined && !point.isVanished && !held.tombstones.has(point.session);
  }

  /** With some luck the session is resumed; otherwise it is left, as if nobody had noticed. */
  #again(sessionId: string): void {
    if (randomFraction(this.#random) < 0.8) this.#startLater(sessionId);
    else this.#running.delete(sessionId);
  }
}
