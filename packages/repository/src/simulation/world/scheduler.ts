import { abortError } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { randomFraction, type Random } from "@garrison/core/random";
import { minuteMs } from "@garrison/core/units";
import { drawDelayMs, drawFault, faultError, type CallFault } from "./fault-draw.ts";
import { drawPauseMs, type HistorySettings } from "./history-settings.ts";
import { isDelicate } from "./delicate-calls.ts";
import { HistoryCounts } from "./history-counts.ts";
import { SimulatedBucket } from "./simulated-bucket.ts";
import {
  createProcess,
  drawClockError,
  type ProcessRole,
  type SimulatedProcess,
} from "./simulated-process.ts";
import type { CarryOut, StoreAnswer, StoreRequest } from "./store-request.ts";
import type { TraceLine } from "./trace.ts";
import { Violation } from "./violation.ts";

/** Sees each request when it is sent and each effect when it has happened, before anything else does. */
export interface BucketObserver {
  sent(process: SimulatedProcess, request: StoreRequest): void;
  answered(process: SimulatedProcess, request: StoreRequest): void;
  created(key: string, bytes: Uint8Array, by: SimulatedProcess): void;
  deleted(key: string, bytes: Uint8Array, by: SimulatedProcess): void;
}

/** Something that may happen next, not before `dueMs`. */
interface Waiting {
  /** Nothing for the start of an activity. */
  readonly process?: SimulatedProcess;
  readonly request?: StoreRequest;
  readonly dueMs: number;
  readonly rank: number;
  readonly happen: (waiting: Waiting) => void;
  /** A delicate call is held up at most once. */
  wasHeld: boolean;
}

const maxSteps = 60_000;
const rankChangeRate = 1 / 16;
const pausesEach = 2;
const stepMs = 1500;

/**
 * Runs processes one step at a time. Each is an ordinary function of the engine whose store calls and sleeps wait here;
 * a seeded choice says which happens next, and whether it fails, is lost, arrives late or twice, or kills its process.
 * Time moves a little with each step, and leaps when everybody waits for it. Same seed, same history.
 */
export class Scheduler {
  readonly bucket = new SimulatedBucket();
  readonly counts = new HistoryCounts();
  readonly trace: TraceLine[] = [];
  readonly startMs = Date.UTC(2026, 0, 1);
  readonly #random: Random;
  readonly #settings: HistorySettings;
  readonly #observer: BucketObserver;
  readonly #carryOut: CarryOut;
  readonly #onPause: (process: SimulatedProcess) => void;
  readonly #pauses = new Map<SimulatedProcess, number>();
  #waiting: Waiting[] = [];
  #alive = 0;
  #nowMs = this.startMs;
  #failure: { readonly error: unknown } | undefined;
  /** Set when the history proper is over: what follows is to succeed. */
  isCalm = false;

  constructor(options: {
    readonly random: Random;
    readonly settings: HistorySettings;
    readonly observer: BucketObserver;
    readonly carryOut: CarryOut;
    /** Told that a process stops for long where it could hurt. */
    readonly onPause: (process: SimulatedProcess) => void;
  }) {
    this.#random = options.random;
    this.#settings = options.settings;
    this.#observer = options.observer;
    this.#carryOut = options.carryOut;
    this.#onPause = options.onPause;
  }

  /** True time, which no process and no store knows. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Begins `start` at a moment of its own. */
  plan(atMs: number, start: () => void): void {
    this.#add({ dueMs: atMs, happen: () => start() });
  }

  /** Starts a process; `ended` hears how it went, unless it is killed: then `killed` does. */
  spawn(options: {
    readonly name: string;
    readonly role: ProcessRole;
    readonly run: (process: SimulatedProcess) => Promise<void>;
    readonly ended: (error: unknown) => void;
  }): SimulatedProcess {
    const { name, role } = options;
    const clockError = drawClockError(this.#random, this.#settings.wrongClocks && !this.isCalm);
    const process = createProcess({
      name,
      role,
      clockError,
      nowMs: () => this.#nowMs,
      sleep: (sleeper, durationMs, signal) => this.#sleep(sleeper, durationMs, signal),
    });
    process.rank = randomFraction(this.#random);
    this.#ends.set(process, options.ended);
    this.#alive++;
    this.counts.add("processes", role);
    options.run(process).then(
      () => this.#end(process, undefined),
      (error: unknown) => this.#end(process, error),
    );
    return process;
  }

  readonly #ends = new Map<SimulatedProcess, (error: unknown) => void>();

  /** Runs until nobody is left and nothing is planned. Throws the first violation. */
  async run(): Promise<void> {
    await turn();
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const next = this.#choose();
      if (next === undefined) break;
      if (++this.counts.steps > maxSteps) throw new Violation(8, `it is not over after ${maxSteps} steps`);
      next.happen(next);
      await turn();
    }
    if (this.#alive > 0) throw new Violation(9, `${this.#alive} processes wait for what never comes`);
  }

  send(process: SimulatedProcess, request: StoreRequest, signal: AbortSignal): Promise<StoreAnswer> {
    this.#observer.sent(process, request);
    const done = () => this.#observer.answered(process, request);
    return new Promise<StoreAnswer>((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const happen = (waiting: Waiting) => this.#call({ process, request, resolve, reject }, waiting);
      this.#add({ process, request, dueMs: 0, happen });
    }).finally(done);
  }

  note(line: Pick<TraceLine, "who" | "what" | "outcome"> & { readonly key?: string }): void {
    const atMs = this.#nowMs - this.startMs;
    this.trace.push({ key: "", ...line, step: this.counts.steps, atMs });
  }

  #noteCall(process: SimulatedProcess, { method, key }: StoreRequest, outcome: string): void {
    this.note({ who: process.name, what: method, key, outcome });
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  #sleep(process: SimulatedProcess, durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const remove = () => {
        this.#waiting = this.#waiting.filter((each) => each !== sleeper);
        reject(abortError(signal));
      };
      const happen = () => {
        signal.removeEventListener("abort", remove);
        resolve();
      };
      const sleeper = this.#add({ process, dueMs: this.#nowMs + durationMs, happen });
      signal.addEventListener("abort", remove, { once: true });
    });
  }

  #add(waiting: Omit<Waiting, "rank" | "wasHeld">): Waiting {
    const added = { ...waiting, rank: randomFraction(this.#random), wasHeld: false };
    this.#waiting.push(added);
    return added;
  }

  #choose(): Waiting | undefined {
    if (this.#waiting.length === 0) return undefined;
    let eligible = this.#waiting.filter((each) => dueOf(each) <= this.#nowMs);
    if (eligible.length === 0) {
      this.#nowMs = Math.min(...this.#waiting.map(dueOf));
      eligible = this.#waiting.filter((each) => dueOf(each) <= this.#nowMs);
    }
    const chosen = this.#settings.order === "ranks" ? highest(eligible) : this.#anyOf(eligible);
    if (chosen.process !== undefined && randomFraction(this.#random) < rankChangeRate) {
      chosen.process.rank = randomFraction(this.#random);
    }
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
    return chosen;
  }

  /** Any of the processes, then any of its calls: one with many calls under way gets no more turns than others. */
  #anyOf(eligible: readonly Waiting[]): Waiting {
    const owners = [...new Set(eligible.map((each) => each.process ?? each))];
    const owner = owners[Math.floor(randomFraction(this.#random) * owners.length)];
    const own = eligible.filter((each) => (each.process ?? each) === owner);
    return own[Math.floor(randomFraction(this.#random) * own.length)]!;
  }

  #call(call: PendingCall, waiting: Waiting): void {
    const { process, request } = call;
    this.#nowMs += Math.floor(randomFraction(this.#random) * stepMs);
    const isTricky = isDelicate(request) && !this.isCalm;
    if (isTricky && !waiting.wasHeld && this.#pause(process, "before")) {
      this.#waiting.push({ ...waiting, wasHeld: true });
      return;
    }
    process.calls++;
    this.counts.add("calls", request.method);
    if (!this.isCalm && randomFraction(this.#random) < this.#settings.deathRate * (isTricky ? 3 : 1)) {
      return this.#die(call);
    }
    const isCutOff = this.#isCutOff(process);
    const rate = this.isCalm ? 0 : this.#settings.faultRate;
    const fault = isCutOff ? "lost-before" : drawFault(this.#random, request.method, rate);
    if (fault === undefined) this.#answer(call);
    else this.#answerBadly(call, fault);
    if (isTricky) this.#pause(process, "after");
  }

  #answer(call: PendingCall): void {
    const { process, request, resolve, reject } = call;
    try {
      resolve(this.#effect(process, request, ""));
    } catch (error) {
      if (!isGarrisonError(error)) throw error;
      reject(error);
    }
  }

  #answerBadly(call: PendingCall, fault: CallFault): void {
    const { process, request, reject } = call;
    this.counts.add("faults", fault);
    if (fault === "late" || fault === "duplicate") this.#sendAgain(process, request);
    if (fault === "duplicate") return this.#answer(call);
    if (fault === "lost-after") this.#effect(process, request, ", its answer is lost");
    else this.#noteCall(process, request, fault);
    reject(faultError(fault));
  }

  /** The request takes effect some time later, whoever sent it being dead or alive. */
  #sendAgain(process: SimulatedProcess, request: StoreRequest): void {
    this.#add({
      dueMs: this.#nowMs + drawDelayMs(this.#random),
      happen: () => void this.#effect(process, request, ", late"),
    });
  }

  #effect(process: SimulatedProcess, request: StoreRequest, how: string): StoreAnswer {
    const { method, key, bytes } = request;
    const before = method === "delete" ? this.bucket.get(key)?.bytes : undefined;
    const skewMs = Math.floor((randomFraction(this.#random) * 2 - 1) * 1000);
    const modifiedMs = Math.floor((this.#nowMs + skewMs) / 1000) * 1000;
    try {
      const answer = this.#carryOut(this.bucket, request, {
        modifiedMs,
        pageObjects: this.#settings.pageObjects,
      });
      this.#noteCall(process, request, `${describe(answer)}${how}`);
      if (answer === "created") this.#observer.created(key, bytes!, process);
      if (answer === "deleted") this.#observer.deleted(key, before!, process);
      return answer;
    } catch (error) {
      if (isGarrisonError(error)) this.#noteCall(process, request, error.code);
      throw error;
    }
  }

  /** The process is gone; of its requests under way some still arrive. */
  #die(call: PendingCall): void {
    const { process } = call;
    this.counts.add("deaths", process.role);
    const outcome = `at its call ${process.calls} (${call.request.method})`;
    this.note({ who: process.name, what: "dies", key: call.request.key, outcome });
    process.isAlive = false;
    const underWay = [call.request, ...this.#requestsOf(process)];
    this.#waiting = this.#waiting.filter((each) => each.process !== process);
    for (const request of underWay) {
      const mayArrive = request.method === "create" || request.method === "delete";
      if (mayArrive && randomFraction(this.#random) < 0.5) this.#sendAgain(process, request);
    }
    this.#end(process, new ProcessKilled());
  }

  #requestsOf(process: SimulatedProcess): readonly StoreRequest[] {
    return this.#waiting.flatMap((each) =>
      each.process === process && each.request !== undefined ? [each.request] : [],
    );
  }

  #end(process: SimulatedProcess, error: unknown): void {
    const ended = this.#ends.get(process);
    if (ended === undefined) return;
    this.#ends.delete(process);
    process.isAlive = false;
    this.#alive--;
    if (error instanceof Violation) return this.fail(error);
    if (!(error instanceof ProcessKilled)) {
      this.note({ who: process.name, what: "ends", outcome: error === undefined ? "well" : String(error) });
    }
    try {
      ended(error);
    } catch (failure) {
      this.fail(failure);
    }
  }

  #pause(process: SimulatedProcess, when: "before" | "after"): boolean {
    const taken = this.#pauses.get(process) ?? 0;
    if (taken >= pausesEach || randomFraction(this.#random) >= this.#settings.pauseRate / 3) return false;
    this.#pauses.set(process, taken + 1);
    const durationMs = drawPauseMs(this.#random);
    process.pausedUntilMs = this.#nowMs + durationMs;
    this.counts.add("pauses", when);
    const outcome = `${Math.round(durationMs / minuteMs)} min`;
    this.note({ who: process.name, what: "pauses", outcome });
    this.#onPause(process);
    return true;
  }

  #isCutOff(process: SimulatedProcess): boolean {
    if (this.isCalm) return false;
    if (process.cutOffUntilMs > this.#nowMs) return true;
    if (randomFraction(this.#random) >= this.#settings.faultRate / 40) return false;
    process.cutOffUntilMs = this.#nowMs + drawPauseMs(this.#random) / 10;
    this.counts.add("faults", "cut-off");
    return true;
  }
}

interface PendingCall {
  readonly process: SimulatedProcess;
  readonly request: StoreRequest;
  readonly resolve: (answer: StoreAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** How a killed process ends; nobody but the one who watches it sees this. */
export class ProcessKilled extends Error {
  override readonly name = "ProcessKilled";
}

/** Lets everything run that needs no store call and no sleep. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function dueOf(waiting: Waiting): number {
  return Math.max(waiting.dueMs, waiting.process?.pausedUntilMs ?? 0);
}

function highest(eligible: readonly Waiting[]): Waiting {
  const rankOf = (each: Waiting) => each.process?.rank ?? each.rank;
  return eligible.reduce((best, each) => (rankOf(each) > rankOf(best) ? each : best));
}

function describe(answer: StoreAnswer): string {
  if (typeof answer === "string") return answer;
  if ("isLast" in answer) return `${answer.items.length}${answer.isLast ? "" : " of more"}`;
  return `${answer.length} bytes`;
}
