import { abortError } from "@garrison/core/clock";
import { openDeadline } from "@garrison/core/deadline";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { secondMs } from "@garrison/core/units";
import {
  defaultChannelLimits,
  windowSize,
  type Channel,
  type ChannelCounters,
  type ChannelDependencies,
  type ChannelLimits,
  type ChannelOptions,
  type ReceivedMessage,
} from "./channel-options.ts";
import { ChannelRecord } from "./channel-record.ts";
import { loadOrCreateChannel, type StoredChannel } from "./channel-store.ts";
import { judgeBody } from "./judge-body.ts";
import { acknowledgementType, channelVersion } from "./message-header.ts";
import { Outbox } from "./outbox.ts";
import { Patience } from "./patience.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { openChannelKeys, sealMessage, type ChannelKeys } from "./seal-message.ts";
import { WakeUp } from "./wake-up.ts";

/**
 * Ordered, exactly repeated delivery over two queues that reorder, repeat and are open to strangers.
 *
 * Sending: a message gets the next sequence, is sealed, stored, and only then transmitted; it is transmitted again with
 * growing delay until an acknowledgement covers it. At most `windowSize` are under way, so all of them fit the window
 * of the other side.
 * Receiving: what opens and is addressed to us enters the window; the reader gets it in order. When the reader is done
 * with one, that is stored, and only then acknowledged. Acknowledgements are cumulative; they travel in every payload
 * and, when nothing else goes out, alone with sequence 0. An old one replayed says nothing new.
 * Holding: opening saves the record once, so an earlier holder finds its next save refused and stops.
 */
export async function openChannel<Incoming extends { type: string }, Outgoing extends { type: string }>(
  dependencies: ChannelDependencies,
  options: ChannelOptions<Incoming, Outgoing>,
  call: { readonly signal: AbortSignal },
): Promise<Channel<Incoming, Outgoing>> {
  const stored = await loadOrCreateChannel(dependencies, call);
  const channel = new OpenChannel(dependencies, options, stored);
  await channel.start();
  return channel;
}

const heartbeatType = "heartbeat";
/** A receive answers after its wait; this much later it is given up. */
const receiveGraceMs = 20 * secondMs;
const sendDeadlineMs = 60 * secondMs;
const closingDeadlineMs = 5 * secondMs;
const longestPauseMs = 30 * secondMs;

interface Incomer {
  readonly sequence: number;
  readonly type: string;
  readonly message: unknown;
}

type Tally = { -readonly [Name in keyof Omit<ChannelCounters, "unacknowledged">]: number };

class OpenChannel<Incoming extends { type: string }, Outgoing extends { type: string }> implements Channel<
  Incoming,
  Outgoing
> {
  readonly #dependencies: ChannelDependencies;
  readonly #options: ChannelOptions<Incoming, Outgoing>;
  readonly #limits: ChannelLimits;
  readonly #keys: ChannelKeys;
  readonly #record: ChannelRecord;
  readonly #outbox: Outbox;
  readonly #window: ReceiveWindow<Incomer>;
  readonly #wakeUp = new WakeUp();
  readonly #stopping = new AbortController();
  readonly #tally: Tally;
  #loops: Promise<void>[] = [];
  #sending: Promise<unknown> = Promise.resolve();
  #acknowledgeAtMs: number | undefined;
  #lastSentMs: number;
  #failure: Error | undefined;
  #isClosed = false;
  #hasToldRefusal = false;

  constructor(
    dependencies: ChannelDependencies,
    options: ChannelOptions<Incoming, Outgoing>,
    stored: StoredChannel,
  ) {
    const { clock, random, store } = dependencies;
    this.#dependencies = dependencies;
    this.#options = options;
    this.#limits = { ...defaultChannelLimits, ...options.limits };
    this.#keys = openChannelKeys(stored.identity, options.peer);
    const { resendBaseMs: baseMs, resendMaxMs: maxMs } = this.#limits;
    this.#outbox = new Outbox(random, { baseMs, maxMs, repeatedAtOnce: 8 });
    for (const message of stored.unacknowledged) this.#outbox.add(message, true);
    this.#window = new ReceiveWindow(windowSize, stored.delivered);
    this.#record = new ChannelRecord(store, stored, () => this.#outbox.messages());
    this.#lastSentMs = clock.now();
    this.#tally = {
      sent: 0,
      repeated: 0,
      delivered: 0,
      duplicates: 0,
      foreign: 0,
      forged: 0,
      damaged: 0,
      beyondWindow: 0,
      transportErrors: 0,
      lastHeardMs: clock.now(),
    };
  }

  async start(): Promise<void> {
    await this.#record.save();
    this.#loops = [this.#sendLoop(), this.#receiveLoop()].map((loop) =>
      loop.catch((error: unknown) => void this.#fail(error)),
    );
  }

  counters(): ChannelCounters {
    return { ...this.#tally, unacknowledged: this.#outbox.size };
  }

  send(message: Outgoing): Promise<void> {
    // One after the other: sequences are stored in the order in which they are given.
    const turn = this.#sending.then(() => this.#enqueue(message));
    this.#sending = turn.catch(() => undefined);
    return turn;
  }

  async #enqueue(message: Outgoing): Promise<void> {
    const { success, data, error } = this.#options.side.outgoing.safeParse(message);
    if (!success) {
      throw new GarrisonError("message-invalid", `a ${message.type} message can't be sent`, { cause: error });
    }
    await this.#waitForRoom(message.type);
    const sequence = this.#record.takeSequence();
    const body = this.#seal(sequence, data.type, data);
    this.#outbox.add({ sequence, type: data.type, body }, false);
    await this.#saveOrFail();
    this.#outbox.markStored(sequence);
    this.#wakeUp.all();
  }

  async #waitForRoom(type: string): Promise<void> {
    const { clock } = this.#dependencies;
    const giveUpAtMs = clock.now() + this.#limits.sendPatienceMs;
    for (;;) {
      this.#throwIfOver();
      if (this.#outbox.size < windowSize) return;
      if (clock.now() >= giveUpAtMs) {
        throw new GarrisonError(
          "channel-full",
          `${windowSize} messages wait for an acknowledgement; the ${type} message has no room`,
        );
      }
      await this.#wakeUp.wait(clock, giveUpAtMs);
    }
  }

  async *messages(): AsyncGenerator<ReceivedMessage<Incoming>> {
    for (;;) {
      const next = await this.#waitForNext();
      if (next === undefined) return;
      if (next.type !== heartbeatType) yield { sequence: next.sequence, message: this.#parse(next) };
      await this.finish(next.sequence);
    }
  }

  async finish(sequence: number): Promise<void> {
    if (sequence <= this.#window.finished) return;
    const isHeartbeat = this.#window.first()?.type === heartbeatType;
    this.#window.finish(sequence);
    if (!isHeartbeat) this.#tally.delivered += 1;
    this.#record.setDelivered(sequence);
    await this.#saveOrFail();
    this.#planAcknowledgement();
  }

  async #waitForNext(): Promise<Incomer | undefined> {
    const { clock } = this.#dependencies;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosed) return undefined;
      const first = this.#window.first();
      if (first !== undefined) return first;
      await this.#wakeUp.wait(clock, undefined);
    }
  }

  #parse(next: Incomer): Incoming {
    const parsed = this.#options.side.incoming.safeParse(next.message);
    if (parsed.success && parsed.data.type === next.type) return parsed.data;
    throw this.#fail(
      new GarrisonError(
        "message-invalid",
        `message ${next.sequence} (${next.type}) from ${this.#options.address.worker}'s channel has a shape this version does not know`,
        { cause: parsed.error },
      ),
    );
  }

  async drained(call: { readonly signal: AbortSignal }): Promise<void> {
    const wake = () => this.#wakeUp.all();
    call.signal.addEventListener("abort", wake);
    try {
      while (this.#outbox.size > 0) {
        if (call.signal.aborted) throw abortError(call.signal);
        this.#throwIfOver();
        await this.#wakeUp.wait(this.#dependencies.clock, undefined);
      }
    } finally {
      call.signal.removeEventListener("abort", wake);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopping.abort(new GarrisonError("channel-closed", "the channel was closed"));
    this.#wakeUp.all();
    await Promise.allSettled(this.#loops);
    if (this.#failure !== undefined) return;
    if (this.#acknowledgeAtMs !== undefined) {
      using deadline = openDeadline(
        new AbortController().signal,
        closingDeadlineMs,
        "the last acknowledgement",
      );
      await this.#transmitAcknowledgement(deadline.signal);
    }
    await this.#record.save().catch((error: unknown) => this.#fail(error));
  }

  async #sendLoop(): Promise<void> {
    const { clock } = this.#dependencies;
    const patience = new Patience(clock, this.#limits.transportPatienceMs);
    while (!this.#isOver()) {
      const isDone = await this.#transmitNext();
      if (isDone === true) patience.succeeded();
      if (isDone === false) patience.failed(`sending to worker ${this.#options.address.worker}'s channel`);
      if (isDone !== undefined) continue;
      if (clock.now() >= this.#heartbeatAtMs) this.#beat();
      const times = [this.#outbox.nextDueMs(), this.#acknowledgeAtMs, this.#heartbeatAtMs];
      await this.#wakeUp.wait(clock, Math.min(...times.filter((time) => time !== undefined)));
    }
  }

  get #heartbeatAtMs(): number {
    return this.#lastSentMs + this.#limits.heartbeatMs;
  }

  /** Transmits one thing that is due; undefined when nothing is. */
  async #transmitNext(): Promise<boolean | undefined> {
    const nowMs = this.#dependencies.clock.now();
    const message = this.#outbox.due(nowMs);
    if (message !== undefined) {
      const attempts = this.#outbox.noteAttempt(message.sequence, nowMs);
      this.#tally[attempts > 1 ? "repeated" : "sent"] += 1;
      return this.#transmit(message.body, this.#stopping.signal);
    }
    if (this.#acknowledgeAtMs === undefined || this.#acknowledgeAtMs > nowMs) return undefined;
    return this.#transmitAcknowledgement(this.#stopping.signal);
  }

  #transmitAcknowledgement(signal: AbortSignal): Promise<boolean> {
    this.#acknowledgeAtMs = undefined;
    return this.#transmit(this.#seal(0, acknowledgementType, undefined), signal);
  }

  async #transmit(body: string, signal: AbortSignal): Promise<boolean> {
    this.#lastSentMs = this.#dependencies.clock.now();
    try {
      using deadline = openDeadline(signal, sendDeadlineMs, "handing a message to the queue");
      await this.#dependencies.transportOut.send(body, { signal: deadline.signal });
      return true;
    } catch (error) {
      if (!this.#isClosed) this.#noteTransportError("a message could not be sent", error);
      return false;
    }
  }

  /** Skipped when much is unacknowledged: the peer will see those first anyway. */
  #beat(): void {
    this.#lastSentMs = this.#dependencies.clock.now();
    if (this.#outbox.size >= windowSize / 2) return;
    const heartbeat = { type: heartbeatType } as Outgoing;
    this.send(heartbeat).catch((error: unknown) => {
      if (!this.#isClosed) this.#fail(error);
    });
  }

  async #receiveLoop(): Promise<void> {
    const patience = new Patience(this.#dependencies.clock, this.#limits.transportPatienceMs);
    while (!this.#isOver()) {
      if (await this.#receiveOnce()) {
        patience.succeeded();
        continue;
      }
      patience.failed(`receiving on worker ${this.#options.address.worker}'s channel`);
      await this.#pause(Math.min(longestPauseMs, secondMs * 2 ** Math.min(patience.failures, 8)));
    }
  }

  async #receiveOnce(): Promise<boolean> {
    const { transportIn, clock } = this.#dependencies;
    const { receiveWaitSeconds: waitSeconds } = this.#limits;
    const waitMs = waitSeconds * secondMs + receiveGraceMs;
    const startedMs = clock.now();
    try {
      using deadline = openDeadline(this.#stopping.signal, waitMs, "asking the queue for messages");
      const received = await transportIn.receive({ signal: deadline.signal, waitSeconds });
      for (const { body } of received) this.#accept(body);
      const receipts = received.map(({ receipt }) => receipt);
      if (receipts.length > 0) await this.#remove(receipts, deadline.signal);
      // A queue that answers "nothing" at once must not make this a busy loop.
      if (receipts.length === 0 && clock.now() - startedMs < 100) await this.#pause(100);
      return true;
    } catch (error) {
      if (this.#isOver()) return true;
      this.#noteTransportError("messages could not be received", error);
      return false;
    }
  }

  /**
   * Takes messages off the queue. Whoever may not is no worse off than with a queue that repeats itself, for a while: it
   * goes on and says so, since failing would cost the work that is under way.
   */
  async #remove(receipts: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await this.#dependencies.transportIn.acknowledge(receipts, { signal });
    } catch (error) {
      if (!isGarrisonError(error, "aws-access-denied")) throw error;
      if (this.#hasToldRefusal) return;
      this.#hasToldRefusal = true;
      this.#noteTransportError("messages could not be removed", error);
      this.#options.onTrouble?.(
        `${describeError(error)}: every message comes again, until the queue is full`,
      );
    }
  }

  async #pause(durationMs: number): Promise<void> {
    await this.#dependencies.clock.sleep(durationMs, this.#stopping.signal).catch(() => undefined);
  }

  /** Takes in one body from the queue. Whatever it is, it does no harm here and never counts twice. */
  #accept(body: string): void {
    const { address, side } = this.#options;
    const judged = judgeBody({ keys: this.#keys, address, receives: side.receives }, body);
    if (judged.verdict !== "ours") {
      this.#tally[judged.verdict] += 1;
      return;
    }
    const { header, payload } = judged;
    if (this.#outbox.acknowledge(payload.acknowledged) > 0) this.#noteHeard();
    if (header.sequence === 0) return;
    const { sequence, type } = header;
    const acceptance = this.#window.accept(sequence, { sequence, type, message: payload.message });
    if (acceptance === "fresh") this.#noteHeard();
    if (acceptance === "beyond") this.#tally.beyondWindow += 1;
    if (acceptance === "duplicate") this.#tally.duplicates += 1;
    // The peer repeats what it has no acknowledgement for: the last one was lost.
    if (sequence <= this.#window.finished) this.#planAcknowledgement();
  }

  #noteHeard(): void {
    this.#tally.lastHeardMs = this.#dependencies.clock.now();
    this.#wakeUp.all();
  }

  #planAcknowledgement(): void {
    this.#acknowledgeAtMs ??= this.#dependencies.clock.now() + this.#limits.acknowledgeAfterMs;
    this.#wakeUp.all();
  }

  #seal(sequence: number, type: string, message: unknown): string {
    const header = {
      version: channelVersion,
      ...this.#options.address,
      direction: this.#options.side.sends,
      sequence,
      type,
    } as const;
    const payload = { acknowledged: this.#record.storedDelivered, message };
    return sealMessage(this.#dependencies.random, this.#keys, {
      header,
      payload: Buffer.from(JSON.stringify(payload)),
    });
  }

  #noteTransportError(message: string, error: unknown): void {
    this.#tally.transportErrors += 1;
    this.#dependencies.logger.warn({ error: describeError(error), ...this.#options.address }, message);
  }

  async #saveOrFail(): Promise<void> {
    try {
      await this.#record.save();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): Error {
    this.#failure ??= error instanceof Error ? error : new GarrisonError("internal", String(error));
    this.#stopping.abort(this.#failure);
    this.#wakeUp.all();
    return this.#failure;
  }

  #isOver(): boolean {
    return this.#isClosed || this.#failure !== undefined;
  }

  #throwIfOver(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) {
      throw new GarrisonError("channel-closed", `the channel to ${this.#options.address.worker} is closed`);
    }
  }
}
