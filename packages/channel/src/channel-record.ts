import { openDeadline } from "@garrison/core/deadline";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import type { ChannelStore, StoredChannel } from "./channel-store.ts";

const saveDeadlineMs = minuteMs;

/**
 * The stored half of an open channel. Saves run one after the other; those asked for while one runs share the next, so
 * a burst of messages costs few writes.
 */
export class ChannelRecord {
  readonly #store: ChannelStore;
  readonly #identity: StoredChannel["identity"];
  readonly #readOutbox: () =>
    | StoredChannel["unacknowledged"]
    | readonly StoredChannel["unacknowledged"][number][];
  #revision: number;
  #nextSequence: number;
  #delivered: number;
  #storedDelivered: number;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  constructor(
    store: ChannelStore,
    stored: StoredChannel,
    readOutbox: () => readonly StoredChannel["unacknowledged"][number][],
  ) {
    this.#store = store;
    this.#identity = stored.identity;
    this.#readOutbox = readOutbox;
    this.#revision = stored.revision;
    this.#nextSequence = stored.nextSequence;
    this.#delivered = stored.delivered;
    this.#storedDelivered = stored.delivered;
  }

  /** What may be acknowledged: finished, and known to be after a restart. */
  get storedDelivered(): number {
    return this.#storedDelivered;
  }

  takeSequence(): number {
    return this.#nextSequence++;
  }

  setDelivered(sequence: number): void {
    this.#delivered = sequence;
  }

  /** Resolves when everything that was so at the call is durable. */
  save(): Promise<void> {
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      this.#running = this.#write();
      return this.#running;
    });
    return this.#waiting;
  }

  async #write(): Promise<void> {
    const record: StoredChannel = {
      revision: this.#revision + 1,
      identity: this.#identity,
      nextSequence: this.#nextSequence,
      unacknowledged: [...this.#readOutbox()],
      delivered: this.#delivered,
    };
    using deadline = openDeadline(
      new AbortController().signal,
      saveDeadlineMs,
      "storing the channel's state",
    );
    if (!(await this.#store.save(record, { signal: deadline.signal }))) {
      throw new GarrisonError("channel-superseded", "the channel's record was changed by another holder");
    }
    this.#revision = record.revision;
    this.#storedDelivered = record.delivered;
  }
}
