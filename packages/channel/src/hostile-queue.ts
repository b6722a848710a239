import { abortError, type Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { randomBelow, randomFraction, type Random } from "@garrison/core/random";
import { secondMs } from "@garrison/core/units";
import type { MessageTransport, ReceivedBody } from "./message-transport.ts";
import { WakeUp } from "./wake-up.ts";

/** What a queue that others can read, write and delete on may do; probabilities per message or call. */
export interface HostileFaults {
  readonly lose: number;
  readonly repeat: number;
  readonly replay: number;
  readonly tamper: number;
  readonly inject: number;
  readonly failSend: number;
  readonly failReceive: number;
  readonly maxDelayMs: number;
}

export const noFaults: HostileFaults = {
  lose: 0,
  repeat: 0,
  replay: 0,
  tamper: 0,
  inject: 0,
  failSend: 0,
  failReceive: 0,
  maxDelayMs: 0,
};

export interface HostileQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Until then the faults apply; from then on the queue is fair. */
  readonly fairFromMs: number;
  readonly faults: HostileFaults;
  /** Bodies that a stranger would put in: other channels' messages, forgeries, garbage. */
  readonly strangers: readonly string[];
}

interface Queued {
  readonly body: string;
  readonly visibleAtMs: number;
}

export interface HostileCounters {
  lost: number;
  repeated: number;
  replayed: number;
  tampered: number;
  injected: number;
  failed: number;
}

/** A seeded enemy in the middle of one direction, for simulations. It ends up fair, as a queue with a deadline must. */
export class HostileQueue implements MessageTransport {
  readonly counters: HostileCounters = {
    lost: 0,
    repeated: 0,
    replayed: 0,
    tampered: 0,
    injected: 0,
    failed: 0,
  };
  readonly #options: HostileQueueOptions;
  readonly #arrival = new WakeUp();
  #queued: Queued[] = [];
  #seen: string[] = [];

  constructor(options: HostileQueueOptions) {
    this.#options = options;
  }

  async send(body: string): Promise<void> {
    if (this.#strikes("failSend")) this.#failCall("send");
    this.#seen.push(body);
    if (this.#strikes("lose")) this.counters.lost += 1;
    else this.#put(body);
    if (this.#strikes("repeat")) this.#count("repeated", body);
    if (this.#strikes("replay")) this.#count("replayed", this.#pick(this.#seen));
    if (this.#strikes("tamper")) this.#count("tampered", this.#tamper(body));
    if (this.#strikes("inject")) this.#count("injected", this.#pick(this.#options.strangers));
  }

  async receive({ signal, waitSeconds }: { readonly signal: AbortSignal; readonly waitSeconds: number }) {
    const { clock } = this.#options;
    if (this.#strikes("failReceive")) this.#failCall("receive");
    const untilMs = clock.now() + waitSeconds * secondMs;
    for (;;) {
      const taken = this.#take();
      if (taken.length > 0 || clock.now() >= untilMs) return taken;
      if (signal.aborted) throw abortError(signal);
      await this.#waitForMessage(untilMs, signal);
    }
  }

  async acknowledge(): Promise<void> {
    // Taken messages are gone already; that they may come again is what `repeat` and `replay` are for.
  }

  async #waitForMessage(untilMs: number, signal: AbortSignal): Promise<void> {
    const wake = () => this.#arrival.all();
    signal.addEventListener("abort", wake);
    const times = this.#queued.map((message) => message.visibleAtMs);
    await this.#arrival.wait(this.#options.clock, Math.min(untilMs, ...times));
    signal.removeEventListener("abort", wake);
  }

  #take(): readonly ReceivedBody[] {
    const nowMs = this.#options.clock.now();
    const visible = this.#queued.filter((message) => message.visibleAtMs <= nowMs);
    const taken: Queued[] = [];
    while (visible.length > 0 && taken.length < 10) {
      taken.push(...visible.splice(randomBelow(this.#options.random, visible.length), 1));
    }
    this.#queued = this.#queued.filter((message) => !taken.includes(message));
    return taken.map(({ body }) => ({ body, receipt: "taken" }));
  }

  #put(body: string): void {
    const { clock, random, faults } = this.#options;
    const delayMs = this.#isFair() ? 0 : Math.ceil(randomFraction(random) * faults.maxDelayMs);
    this.#queued.push({ body, visibleAtMs: clock.now() + delayMs });
    this.#arrival.all();
  }

  #count(what: "repeated" | "replayed" | "tampered" | "injected", body: string): void {
    this.counters[what] += 1;
    this.#put(body);
  }

  #tamper(body: string): string {
    const at = randomBelow(this.#options.random, body.length);
    return body.slice(0, at) + (body[at] === "A" ? "B" : "A") + body.slice(at + 1);
  }

  #pick(from: readonly string[]): string {
    return from[randomBelow(this.#options.random, from.length)] ?? "";
  }

  #failCall(name: string): never {
    this.counters.failed += 1;
    throw new GarrisonError("aws-unavailable", `the queue did not answer (${name})`);
  }

  #strikes(fault: keyof HostileFaults): boolean {
    return !this.#isFair() && randomFraction(this.#options.random) < this.#options.faults[fault];
  }

  #isFair(): boolean {
    return this.#options.clock.now() >= this.#options.fairFromMs;
  }
}
