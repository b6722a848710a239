import type { BackupDependencies, BackupPlan, SessionPlan } from "./backup-plan.ts";
import { openBlockCrew, type BlockCrew } from "../blocks/block-crew.ts";
import type { EngineLimits } from "./engine-limits.ts";
import { PackTable } from "../format/pack-table.ts";
import type { MarkLeaf } from "../format/session-objects.ts";
import type { ResumeState } from "./load-resume.ts";
import { MarkWriter } from "./mark-writer.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { WriterSession } from "./open-session.ts";
import { PackStream } from "./pack-stream.ts";
import { lockForPromise } from "../point/lock-promise.ts";
import { openPageWriter, type PageWriter } from "./page-writer.ts";
import type { LostItems } from "../repair/lost-items.ts";
import { RecentChunks } from "./recent-chunks.ts";
import type { SessionBases } from "./session-bases.ts";
import { openLookAlikes, type LookAlikes } from "../similarity/look-alikes.ts";
import { seriesHash } from "../format/object-names.ts";

/** Blocks under way besides those that the threads are busy with: being read, or waiting for their turn. */
const blocksAround = 4;

export interface BackupRunOptions<Plan extends SessionPlan> {
  readonly plan: Plan;
  readonly limits: EngineLimits;
  readonly session: WriterSession;
  readonly resume: ResumeState;
  /** Addresses that nothing may refer to again. */
  readonly lost: LostItems;
  readonly bases: SessionBases;
}

/** What one lane has open while it writes: threads, the two streams of packs, its marks. */
export class BackupRun<Plan extends SessionPlan = BackupPlan> implements AsyncDisposable {
  readonly dependencies: BackupDependencies;
  readonly plan: Plan;
  readonly limits: EngineLimits;
  readonly session: WriterSession;
  readonly resume: ResumeState;
  readonly lost: LostItems;
  readonly bases: SessionBases;
  readonly call: StoreCall;
  readonly startedAtMs: number;
  readonly concurrency: number;
  readonly crew: BlockCrew;
  readonly packs: PackStream;
  readonly maps: PackStream;
  readonly pages: PageWriter;
  readonly recent: RecentChunks;
  /** Sizes and item counts of this session's packs; their references count how often the commit has seen them listed. */
  readonly packFacts = new PackTable();
  readonly #marks: MarkWriter;
  #lookAlikes: Promise<LookAlikes | undefined> | undefined;
  #unmarked: MarkLeaf[] = [];
  #packsAtMark = 0;

  constructor(dependencies: BackupDependencies, options: BackupRunOptions<Plan>, call: StoreCall) {
    const { plan, limits, session, resume, lost, bases } = options;
    const { keys, store } = dependencies;
    this.dependencies = dependencies;
    this.plan = plan;
    this.limits = limits;
    this.session = session;
    this.resume = resume;
    this.lost = lost;
    this.bases = bases;
    this.call = call;
    this.startedAtMs = dependencies.clock.now();
    this.crew = (dependencies.openCrew ?? openBlockCrew)(keys.idKey, { threads: plan.threads });
    this.concurrency = plan.concurrency ?? this.crew.busyJobs + blocksAround;
    const { promisedUntilMs } = plan;
    const retain = promisedUntilMs === undefined ? {} : { retainUntilMs: lockForPromise(promisedUntilMs) };
    const lane = { store, keys, session: session.sessionId, lane: session.laneId, ...retain };
    const data = { packBytes: limits.packBytes, packsInFlight: limits.packsInFlight };
    const packs = new PackStream({ ...lane, ...data, kind: "pack", secret: plan.grant.dataKey }, call);
    const map = { packBytes: limits.mapPackBytes, packsInFlight: 1, beforeStore: () => packs.flush() };
    this.packs = packs;
    this.maps = new PackStream({ ...lane, ...map, kind: "map", secret: keys.mapKey }, call);
    this.pages = openPageWriter({ keys, session: lane.session, lane: lane.lane }, this.maps);
    this.recent = new RecentChunks(lane, limits.recentChunks);
    this.#marks = new MarkWriter(dependencies, { session, limits, ...resume }, call);
    for (const pack of resume.packs) this.#note(pack);
  }

  /** The points to look for blocks in, sampled once for all volumes that are read in full. */
  openLookAlikes(): Promise<LookAlikes | undefined> {
    const { dependencies, plan, session, bases } = this;
    const parent =
      session.parent === undefined ? [] : [{ series: session.series, session: session.parent.session }];
    const named = (plan.lookAlikes ?? []).map(({ series, sessionId }) => ({
      series: seriesHash(dependencies.keys, series),
      session: sessionId,
    }));
    const options = { ...session, named: [...parent, ...named], bases };
    this.#lookAlikes ??= openLookAlikes(dependencies, options, this.call);
    return this.#lookAlikes;
  }

  /** Notes a finished leaf; writes a mark when enough has been sealed since the last one. */
  async addLeaf(leaf: MarkLeaf): Promise<void> {
    this.#unmarked.push(leaf);
    const packs = this.packs.begun - this.#packsAtMark;
    if (packs < this.limits.packsPerMark && this.#unmarked.length < this.limits.leavesPerMark) return;
    const stored = await this.flush();
    const frontier = { volume: leaf.volume, leaf: leaf.leaf + 1 };
    await this.#marks.write({ frontier, leaves: this.#unmarked, packs: stored });
    this.#unmarked = [];
    this.#packsAtMark = this.packs.begun;
  }

  /** After it, all packs and pages are stored and their facts are known. */
  async flush() {
    await this.packs.flush();
    await this.maps.flush();
    const stored = [...this.packs.takeStored(), ...this.maps.takeStored()];
    for (const pack of stored) this.#note(pack);
    return stored;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#marks[Symbol.asyncDispose]();
    await this.packs.settle();
    await this.maps.settle();
    await this.crew.close();
  }

  #note(pack: {
    kind: "pack" | "map";
    lane: string;
    number: number;
    items: number;
    sizeBytes: number;
  }): void {
    const { kind, lane, number } = pack;
    const { epoch } = this.dependencies.keys;
    this.packFacts.describe(kind, { session: this.session.sessionId, lane, number }, { ...pack, epoch });
  }
}
