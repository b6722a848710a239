import type { BackupDependencies } from "./backup-plan.ts";
import type { EngineLimits } from "./engine-limits.ts";
import { markName } from "../format/object-names.ts";
import { encodeObject } from "../format/sealed-object.ts";
import { encodeMark, type MarkLeaf, type MarkPack, type SessionMark } from "../format/session-objects.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { WriterSession } from "./open-session.ts";

/** Writes a lane's checkpoints, one after the other, and a sign of life when nothing else was written for long. */
export class MarkWriter implements AsyncDisposable {
  readonly #dependencies: BackupDependencies;
  readonly #session: WriterSession;
  readonly #call: StoreCall;
  readonly #stop = new AbortController();
  readonly #heartbeat: Promise<void>;
  #tail: Promise<void> = Promise.resolve();
  #continues: SessionMark["continues"];
  #frontier: SessionMark["frontier"];
  #nextNumber = 0;
  #writtenAtMs: number;

  constructor(
    dependencies: BackupDependencies,
    options: {
      readonly session: WriterSession;
      readonly limits: EngineLimits;
      readonly continues: SessionMark["continues"];
      readonly frontier: SessionMark["frontier"];
    },
    call: StoreCall,
  ) {
    this.#dependencies = dependencies;
    this.#session = options.session;
    this.#call = call;
    this.#continues = options.continues;
    this.#frontier = options.frontier;
    this.#writtenAtMs = dependencies.clock.now();
    this.#heartbeat = this.#beat(options.limits.quietMs);
  }

  /** Everything that `mark` names is stored by now. */
  async write(mark: {
    readonly frontier: SessionMark["frontier"];
    readonly leaves: readonly MarkLeaf[];
    readonly packs: readonly MarkPack[];
  }): Promise<void> {
    this.#frontier = mark.frontier;
    const written = this.#tail.then(() => this.#store(mark));
    this.#tail = written.catch(() => undefined);
    await written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#heartbeat;
    await this.#tail;
  }

  async #store(mark: SessionMark): Promise<void> {
    const { keys, random, store, clock } = this.#dependencies;
    const { sessionId: session, laneId: lane } = this.#session;
    const name = markName(keys.domain, { session, lane, number: this.#nextNumber++ });
    const continues = this.#continues;
    this.#continues = undefined;
    const body = encodeMark(continues === undefined ? mark : { ...mark, continues });
    await store.create(name, encodeObject(keys, random, { name, kind: "mark", body }), this.#call);
    this.#writtenAtMs = clock.now();
  }

  async #beat(quietMs: number): Promise<void> {
    const { clock, logger } = this.#dependencies;
    try {
      for (;;) {
        await clock.sleep(quietMs, this.#stop.signal);
        if (clock.now() - this.#writtenAtMs < quietMs) continue;
        await this.write({ frontier: this.#frontier, leaves: [], packs: [] });
      }
    } catch (error) {
      // A sign of life that fails is not the backup's failure: its own next write will tell.
      if (!this.#stop.signal.aborted)
        logger.warn({ error: String(error) }, "a sign of life could not be written");
    }
  }
}
