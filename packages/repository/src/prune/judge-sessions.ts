import { isObjectError } from "../store/is-object-error.ts";
import type { Finding } from "../check/check-plan.ts";
import { endName, openName, parseSlotName, pointName } from "../format/object-names.ts";
import type { SessionBase } from "../format/session-objects.ts";
import { readSlot, readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { PlannedFence, PruneDependencies } from "./prune-plan.ts";
import { sessionKey } from "./session-sets.ts";
import { newestPackMs, type PointFacts, type SlotFacts, type Survey } from "./survey-sessions.ts";

/**
 * What a session can still become. `open`: it may commit, so nothing that bears its name is touched and its bases are
 * roots. `point`: it has committed. `ended`: it has a tombstone whose grace is over. `dead`: fenced or given up.
 * `moves`: a keeper's own that counts. `unknown`: it began after the survey, or whatever it left is nobody's.
 */
export type SessionState = "open" | "point" | "ended" | "dead" | "moves" | "unknown";

export interface Judgement {
  readonly states: ReadonlyMap<string, SessionState>;
  readonly roots: readonly PointFacts[];
  readonly fences: readonly PlannedFence[];
  /** Ended points that no open session holds. */
  readonly ended: readonly SessionBase[];
  /** What somebody may reach is not known: of sessions that have ever committed nothing goes. */
  readonly isUnsettled: boolean;
  readonly findings: readonly Finding[];
}

export interface JudgeOptions {
  readonly storeTimeMs: number;
  readonly graceMs: number;
  readonly staleMs: number;
  readonly disowned: readonly string[];
  /** Points that are gone without a tombstone, and whose loss somebody has accepted. */
  readonly vanished: readonly SessionBase[];
}

export async function judgeSessions(
  pruner: PruneDependencies,
  judged: { readonly survey: Survey; readonly options: JudgeOptions },
  call: StoreCall,
): Promise<Judgement> {
  const bench = new Bench(pruner, judged.survey, judged.options);
  await bench.judgeAll(call);
  return bench.judgement();
}

/** Of sessions that only forwards speak of any more: those that a tombstone says have ended. */
export async function judgeByTombstones(
  pruner: PruneDependencies,
  judged: { readonly survey: Survey; readonly options: JudgeOptions; readonly sessions: ReadonlySet<string> },
  call: StoreCall,
): Promise<ReadonlySet<string>> {
  const ended = new Set<string>();
  const bench = new Bench(pruner, judged.survey, judged.options);
  for (const [session, tombstones] of tombstonesOf(judged.survey, judged.sessions))
    for (const each of tombstones) if (await bench.isEnded(each, call)) ended.add(session);
  return ended;
}

/** Collects verdicts session by session. */
class Bench {
  readonly #pruner: PruneDependencies;
  readonly #survey: Survey;
  readonly #options: JudgeOptions;
  readonly #states = new Map<string, SessionState>();
  readonly #roots = new Map<string, PointFacts>();
  readonly #ended = new Map<string, SessionBase>();
  readonly #fences: PlannedFence[] = [];
  readonly #findings: Finding[] = [];
  #isUnsettled = false;

  constructor(pruner: PruneDependencies, survey: Survey, options: JudgeOptions) {
    this.#pruner = pruner;
    this.#survey = survey;
    this.#options = options;
  }

  judgement(): Judgement {
    return {
      states: this.#states,
      roots: [...this.#roots.values()].sort((left, right) => (sessionKey(left) < sessionKey(right) ? -1 : 1)),
      fences: this.#fences,
      ended: this.#isUnsettled ? [] : [...this.#ended.values()],
      isUnsettled: this.#isUnsettled,
      findings: this.#findings,
    };
  }

  async judgeAll(call: StoreCall): Promise<void> {
    const { survey } = this;
    const all = new Set([...survey.withPacks, ...survey.sessions.keys(), ...survey.slots.keys()]);
    const tombstones = tombstonesOf(survey, all);
    for (const session of [...all].sort()) {
      const state = await this.#judge(session, tombstones.get(session) ?? [], call);
      this.#states.set(session, state);
    }
    for (const each of survey.overtaken) this.#unsettleGone(each);
    // Only now: a base may sort behind the session that holds it.
    for (const [session, state] of this.#states) {
      if (state !== "open") continue;
      await this.#holdBases(session, call);
      await this.#fenceIfStale(session, call);
    }
  }

  get survey(): Survey {
    return this.#survey;
  }

  async #judge(session: string, tombstones: readonly SessionBase[], call: StoreCall): Promise<SessionState> {
    const slots = this.#survey.slots.get(session) ?? [];
    for (const slot of slots) await this.#judgeSlot(slot, call);
    const objects = this.#survey.sessions.get(session);
    const series = objects?.open?.series;
    if (series === undefined && slots.length > 1) {
      this.#unsettle(openName(this.#domain, session), `session ${session} has ${slots.length} slots`);
      return "open";
    }
    const own = series === undefined ? slots[0] : slots.find((slot) => slot.series === series);
    if (own?.state === "foreign" && objects?.open === undefined && !this.#ended.has(sessionKey(own)))
      this.#unsettle(this.#nameOf(own), "it may have been a restore point, and nobody knows what it reaches");
    if (own !== undefined) return this.#stateOf(own);
    // Whether its grace is over by our time or not: another pass, later than ours, has reclaimed it since. It isn't open.
    for (const each of tombstones) if (await this.#hasTombstone(each, call)) return "ended";
    // It gets its tombstone before this pass deletes anything.
    if (this.#options.vanished.some((gone) => gone.session === session)) return "ended";
    if (objects?.hasOpen === true) return "open";
    const what = `nothing says what session ${session} is`;
    if (this.#survey.withPacks.has(session))
      this.#find("notice", "session-unknown", { key: session, message: what });
    return "unknown";
  }

  #stateOf(slot: SlotFacts): SessionState {
    if (this.#ended.has(sessionKey(slot))) return "ended";
    return slot.state === "foreign" || slot.state === "gone" ? "open" : slot.state;
  }

  async #judgeSlot(slot: SlotFacts, call: StoreCall): Promise<void> {
    if (slot.state === "dead" || slot.state === "moves") return;
    if (await this.isEnded(slot, call)) this.#ended.set(sessionKey(slot), baseOf(slot));
    else if (slot.state === "point") this.#roots.set(sessionKey(slot), slot.point);
    else if (slot.state === "gone") this.#unsettleGone(slot);
    else this.#find("damage", "slot-foreign", { key: this.#nameOf(slot), message: slot.reason });
  }

  /** By a tombstone that the keeper signed and whose grace is over, by the store's own times. */
  async isEnded(slot: SessionBase, call: StoreCall): Promise<boolean> {
    const endedAtMs = this.#survey.tombstones.get(sessionKey(slot));
    if (endedAtMs === undefined || !(await this.#hasTombstone(slot, call))) return false;
    return this.#options.storeTimeMs - endedAtMs >= this.#options.graceMs;
  }

  async #hasTombstone(slot: SessionBase, call: StoreCall): Promise<boolean> {
    if ((await readTombstone(this.#pruner, slot, call)) === "signed") return true;
    const key = endName(this.#domain, slot.series, slot.session);
    const message = "this end of a restore point is not signed and does not count";
    this.#find("notice", "tombstone-unsigned", { key, message });
    return false;
  }

  async #holdBases(session: string, call: StoreCall): Promise<void> {
    const objects = this.#survey.sessions.get(session);
    if (objects === undefined) return;
    if (!objects.isReadable) {
      const reason = `the bases of session ${session} can't be read, so that nobody knows what it reaches`;
      this.#unsettle(openName(this.#domain, session), reason);
    }
    for (const base of objects.bases) {
      if (this.#isVanished(base)) {
        this.#isUnsettled = true;
        const message = `session ${session} may reuse what it reached: nothing else goes before that is over`;
        this.#find("notice", "session-unsettled", { key: this.#nameOf(base), message });
      }
      const slot = this.#survey.slots.get(base.session)?.find((each) => each.series === base.series);
      if (slot?.state === "point") {
        this.#roots.set(sessionKey(base), slot.point);
        this.#ended.delete(sessionKey(base));
      }
      if (slot?.state === "foreign")
        this.#unsettle(this.#nameOf(slot), `session ${session} reuses what it reaches`);
      const isGone = slot === undefined || slot.state === "gone";
      const hasEnded = this.#survey.tombstones.has(sessionKey(base));
      if (isGone && hasEnded && (await this.#hasCommitted(session, call))) this.#unsettleGone(base);
    }
  }

  /**
   * Since its slot was listed. As long as it has not, a base that is gone is one that it was refused: another pass does not
   * reclaim what a session took for its base before that ended.
   */
  async #hasCommitted(session: string, call: StoreCall): Promise<boolean> {
    const series = this.#survey.sessions.get(session)?.open?.series;
    if (series === undefined) return true;
    try {
      return (await readSlot(this.#pruner, { series, session }, call))?.state === "point";
    } catch (error) {
      if (isObjectError(error)) return true;
      throw error;
    }
  }

  #isVanished(base: SessionBase): boolean {
    return this.#options.vanished.some((gone) => sessionKey(gone) === sessionKey(base));
  }

  /**
   * Also one whose base has vanished, however busy it is: once that base has a tombstone, nothing else would hold what the
   * session may reuse of it. If it commits before the fence takes hold, its own record does.
   */
  async #fenceIfStale(session: string, call: StoreCall): Promise<void> {
    const objects = this.#survey.sessions.get(session);
    const series = objects?.open?.series;
    if (series === undefined) return;
    if (this.#survey.slots.get(session)?.some((slot) => slot.series === series) === true) return;
    const cause = this.#causeToFence(session);
    let lastSignMs = objects!.newestMs;
    if (cause === undefined && !this.#isStale(lastSignMs)) return;
    lastSignMs = Math.max(lastSignMs, await newestPackMs(this.#pruner, session, call));
    if (cause !== undefined) this.#fences.push({ series, session, lastSignMs, why: cause });
    else if (this.#isStale(lastSignMs)) this.#fences.push({ series, session, lastSignMs, why: "stale" });
  }

  #causeToFence(session: string): "disowned" | "orphaned" | undefined {
    if (this.#options.disowned.includes(session)) return "disowned";
    const bases = this.#survey.sessions.get(session)?.bases ?? [];
    return bases.some((base) => this.#isVanished(base)) ? "orphaned" : undefined;
  }

  #isStale(lastSignMs: number): boolean {
    return this.#options.storeTimeMs - lastSignMs > this.#options.staleMs;
  }

  /**
   * Its tombstone is younger than our listing of them. A session that opened after our survey may have taken the point for
   * its base before it ended, and hold what it reached: that is to stay, and nobody can tell any more what that is.
   */
  #unsettleGone(slot: SessionBase): void {
    this.#isUnsettled = true;
    const message = "another pass has reclaimed it since it was listed, and nobody knows what it reached";
    this.#find("notice", "session-unsettled", { key: this.#nameOf(slot), point: slot.session, message });
  }

  #unsettle(key: string, message: string): void {
    this.#isUnsettled = true;
    this.#find("damage", "session-unsettled", { key, message });
  }

  #find(
    severity: Finding["severity"],
    code: string,
    about: Pick<Finding, "key" | "message" | "point">,
  ): void {
    this.#findings.push({ severity, code, ...about });
  }

  #nameOf(slot: SessionBase): string {
    return pointName(this.#domain, slot.series, slot.session);
  }

  get #domain(): string {
    return this.#pruner.keys.domain;
  }
}

function baseOf({ series, session }: SessionBase): SessionBase {
  return { series, session };
}

/** By session, of those that have left anything else. */
function tombstonesOf(survey: Survey, wanted: ReadonlySet<string>): ReadonlyMap<string, SessionBase[]> {
  const found = new Map<string, SessionBase[]>();
  for (const key of survey.tombstones.keys()) {
    const slot = parseSlotName(`/end/${key}`);
    if (slot === undefined || !wanted.has(slot.session)) continue;
    found.set(slot.session, [...(found.get(slot.session) ?? []), slot]);
  }
  return found;
}
