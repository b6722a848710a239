import {
  forwardPrefix,
  packName,
  packPrefix,
  parseForwardName,
  parsePackName,
  type ForwardName,
  type PackKind,
  type PackName,
} from "../format/object-names.ts";
import type { StoreCall } from "../store/object-store.ts";
import { confirmLosses } from "./confirm-losses.ts";
import { judgeByTombstones, type JudgeOptions, type Judgement, type SessionState } from "./judge-sessions.ts";
import { PackDecisions } from "./pack-decisions.ts";
import { listWindows } from "./list-windows.ts";
import type { PackWindow, WindowPack } from "./pack-window.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { listRootVolumes, readTables, tablePackUses, type TableFailure } from "./read-tables.ts";
import { resolveForwards, type ResolvedForwards } from "./resolve-forwards.ts";
import type { Survey } from "./survey-sessions.ts";

export interface PackPlanning {
  readonly survey: Survey;
  readonly judgement: Judgement;
  /** Sessions whose packs points with a wrong table may refer to. */
  readonly untouchable: ReadonlySet<string>;
  readonly isUnsettled: boolean;
  readonly judging: JudgeOptions;
  readonly storeTimeMs: number;
  readonly repackBelow: number;
  readonly minimumAgeMs: number;
  readonly windowPacks: number;
  readonly maxMoves: number;
}

const kinds: readonly PackKind[] = ["pack", "map"];
/** Missing packs that are looked for again one by one; of more only the number is told. */
const maxMissing = 10_000;

/**
 * Steps 4 and 5: joins what the roots' tables say with the sorted listings of packs and forwards, window by window, and
 * decides about each object.
 */
export async function planPacks(
  pruner: PruneDependencies,
  planning: PackPlanning,
  call: StoreCall,
): Promise<{ readonly decisions: PackDecisions; readonly isUnsettled: boolean }> {
  const planner = new Planner(pruner, planning, await surveyForwards(pruner, planning, call));
  const wanted = { windowPacks: planning.windowPacks, withForwards: planner.hasForwards };
  for await (const window of listWindows(pruner, wanted, call)) await planner.planWindow(window, call);
  await planner.planMoved(call);
  return { decisions: planner.decisions, isUnsettled: planner.isUnsettled };
}

interface ForwardSurvey {
  readonly count: number;
  /** Packs in which lost items of others are found, and packs that have lost some: both stay as they are. */
  readonly repaired: ReadonlySet<string>;
  /** Sessions of which nothing else is left, and which have ended. */
  readonly ended: ReadonlySet<string>;
}

/** Step 4. Moves are looked at again beside the packs, so that only repairs are held. */
async function surveyForwards(
  pruner: PruneDependencies,
  planning: PackPlanning,
  call: StoreCall,
): Promise<ForwardSurvey> {
  const { survey, judging, judgement } = planning;
  const repairs: ForwardName[] = [];
  const others = new Set<string>();
  let count = 0;
  for await (const forward of listForwards(pruner, call)) {
    count++;
    for (const { session } of [forward.origin, forward.target]) {
      if (!judgement.states.has(session)) others.add(session);
    }
    const state = judgement.states.get(forward.target.session);
    if (state === undefined || state === "point" || state === "ended") repairs.push(forward);
  }
  const ended = await judgeByTombstones(pruner, { survey, options: judging, sessions: others }, call);
  const repaired = new Set<string>();
  for (const { kind, origin, target } of repairs) {
    if (!judgement.states.has(target.session) && !ended.has(target.session)) continue;
    for (const name of [origin, target]) repaired.add(packName(pruner.keys.domain, kind, name));
  }
  return { count, repaired, ended };
}

async function* listForwards(pruner: PruneDependencies, call: StoreCall): AsyncGenerator<ForwardName> {
  for (const kind of kinds) {
    for await (const object of pruner.store.list(forwardPrefix(pruner.keys.domain, kind), call)) {
      const forward = parseForwardName(object.key);
      if (forward !== undefined) yield forward;
    }
  }
}

class Planner {
  readonly decisions: PackDecisions;
  readonly #pruner: PruneDependencies;
  readonly #planning: PackPlanning;
  readonly #forwards: ForwardSurvey;
  readonly #fenced: ReadonlySet<string>;
  readonly #unreadable = new Set<string>();
  readonly #missing: (PackName & { readonly kind: PackKind })[] = [];
  #missingMore = 0;
  #isUnsettled: boolean;
  #done = 0;

  constructor(pruner: PruneDependencies, planning: PackPlanning, forwards: ForwardSurvey) {
    this.#pruner = pruner;
    this.#planning = planning;
    this.#forwards = forwards;
    this.#isUnsettled = planning.isUnsettled;
    this.#fenced = new Set(planning.judgement.fences.map((fence) => fence.session));
    this.decisions = new PackDecisions(pruner, planning);
  }

  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  get hasForwards(): boolean {
    return this.#forwards.count > 0;
  }

  async planWindow(window: PackWindow, call: StoreCall): Promise<void> {
    await this.#countRoots(window, call);
    for (const pack of window.entries()) await this.#decide(pack, call);
    for (const use of window.missing()) this.#miss(use);
    this.#missingMore += window.missingMore;
  }

  async #countRoots(window: PackWindow, call: StoreCall): Promise<void> {
    const { roots } = this.#planning.judgement;
    let place: string | undefined;
    for await (const { volume, tell } of readTables(this.#pruner, listRootVolumes(roots), call)) {
      if (volume.place !== place) window.endVolume();
      place = volume.place;
      const failure = await tell((use) => window.mention(use));
      if (failure !== undefined) this.#unsettle(volume.point, failure);
    }
    window.endVolume();
    for (const root of roots) {
      for (const use of tablePackUses(root).uses("map")) window.mention(use);
      window.endVolume();
    }
  }

  #miss(pack: PackName & { readonly kind: PackKind }): void {
    if (this.#missing.length < maxMissing) this.#missing.push(pack);
    else this.#missingMore++;
  }

  /**
   * Without a root's table nobody knows what it holds. That another pass has reclaimed the root is no excuse: a session that
   * opened after our survey may have taken it for its base before it ended.
   */
  #unsettle({ session }: { readonly session: string }, failure: TableFailure): void {
    this.#isUnsettled = true;
    if (this.#unreadable.has(session)) return;
    this.#unreadable.add(session);
    const why = failure.isReclaimed
      ? "it has ended meanwhile, and another pass has reclaimed it"
      : failure.reason;
    const message = `the pack table of restore point ${session} can't be read: ${why}`;
    const severity = failure.isReclaimed ? "notice" : "damage";
    this.decisions.findings.push({
      severity,
      code: "session-unsettled",
      key: session,
      point: session,
      message,
    });
  }

  async #decide(pack: WindowPack, call: StoreCall): Promise<void> {
    this.#pruner.onProgress?.({ step: "packs", done: ++this.#done });
    const state = this.#stateOf(pack.session);
    const isLoose = this.#isUnsettled || this.#planning.untouchable.has(pack.session);
    // A pack of a session that may still commit is nobody's to judge, and neither is what leads away from it.
    const isWanted = pack.references > 0 || isLoose || state === "open" || state === "unknown";
    const forwards = await this.#resolve(pack, { isWanted, isLoose }, call);
    if (pack.sizeBytes === 0) {
      if (pack.references > 0 && !isExplained(forwards)) this.#miss(pack);
      return;
    }
    if (state === "moves") return; // judged by its forwards, when all of them are known
    this.#decideListed(pack, { state, isLoose, forwards });
  }

  #decideListed(
    pack: WindowPack,
    known: {
      readonly state: SessionState;
      readonly isLoose: boolean;
      readonly forwards: ResolvedForwards | undefined;
    },
  ): void {
    const { decisions } = this;
    const { state, isLoose, forwards } = known;
    if (!this.#planning.survey.withPacks.has(pack.session)) return decisions.keep(pack, "new");
    // One that never committed has no pack that a root refers to; otherwise its record has been taken away from it.
    const isFenced = state === "open" && this.#fenced.has(pack.session) && pack.references === 0;
    if (isFenced) return decisions.delete(pack, "fenced");
    if (state === "open") return decisions.keep(pack, "open");
    if (state === "unknown") return decisions.keep(pack, "unsettled");
    if (state === "dead" && pack.references === 0) return decisions.delete(pack, "dead");
    if (isLoose) return decisions.keep(pack, "unsettled");
    const name = packName(this.#pruner.keys.domain, pack.kind, pack);
    if (pack.references === 0 && this.#forwards.repaired.has(name)) return decisions.keep(pack, "repair");
    if (pack.references === 0) return decisions.delete(pack, "unreferenced");
    if (forwards?.winner !== undefined && forwards.isProven) return decisions.delete(pack, "moved");
    decisions.keep(pack, "referenced");
    if (!this.#forwards.repaired.has(name)) this.#addCandidate({ ...pack, isMoved: false });
  }

  #addCandidate(pack: WindowPack & { readonly isMoved: boolean }): void {
    const { repackBelow, minimumAgeMs, storeTimeMs } = this.#planning;
    const { kind, session, lane, number, sizeBytes, items, references, isMoved } = pack;
    if (items === 0 || references >= items * repackBelow) return;
    if (this.decisions.isHeld(session) || storeTimeMs - pack.modifiedMs < minimumAgeMs) return;
    this.decisions.candidates.add({ kind, session, lane, number, sizeBytes, items, references, isMoved });
  }

  async #resolve(
    pack: WindowPack,
    known: { readonly isWanted: boolean; readonly isLoose: boolean },
    call: StoreCall,
  ): Promise<ResolvedForwards | undefined> {
    if (pack.forwards.length === 0) return undefined;
    const resolved = await resolveForwards(
      this.#pruner,
      {
        forwards: pack.forwards,
        isWanted: known.isWanted,
        isListed: pack.sizeBytes > 0,
        stateOf: (session) => this.#stateOf(session),
        isFenced: (session) => this.#fenced.has(session),
        isUnsettled: known.isLoose,
      },
      call,
    );
    this.decisions.findings.push(...resolved.findings);
    this.decisions.forwards.push(
      ...resolved.deletes.filter((each) => !this.decisions.isHeld(each.target.session)),
    );
    const counted = [resolved.winner, ...resolved.repairs].flatMap((each) => each ?? []);
    for (const forward of counted) {
      // Not proven to be used, but not known to be free either: as if all of it were needed.
      const references = known.isLoose ? Number.MAX_SAFE_INTEGER / 2 : Math.max(1, pack.references);
      this.decisions.addTarget(forward, references);
    }
    return resolved;
  }

  /** Packs of sessions that moved others: needed as long as a forward that counts leads there. */
  async planMoved(call: StoreCall): Promise<void> {
    for (const [session, state] of this.#planning.judgement.states) {
      if (state !== "moves") continue;
      for (const kind of kinds) await this.#planMovedSession({ session, kind }, call);
    }
    const untaken = [...this.decisions.untaken()].filter((each) => this.#stateOf(each.session) === "moves");
    const suspects = { mentioned: this.#missing, targets: untaken };
    for (const lost of await confirmLosses(
      this.#pruner,
      { ...suspects, roots: this.#planning.judgement.roots },
      call,
    ))
      this.decisions.findings.push(lost);
    if (this.#missingMore > 0) this.#findMore();
  }

  #findMore(): void {
    const { domain } = this.#pruner.keys;
    const message = `about ${this.#missingMore} more packs are not there; a check of the repository tells which`;
    this.decisions.findings.push({ severity: "damage", code: "object-missing", key: domain, message });
  }

  async #planMovedSession(
    of: { readonly session: string; readonly kind: PackKind },
    call: StoreCall,
  ): Promise<void> {
    const slot = this.#planning.survey.slots.get(of.session)?.find((each) => each.state === "moves");
    const made = slot?.state === "moves" ? slot.moves.packs : [];
    const items = new Map(made.map((pack) => [`${pack.kind}/${pack.lane}/${pack.number}`, pack.items]));
    const { store, keys } = this.#pruner;
    for await (const object of store.list(packPrefix(keys.domain, of.kind, of.session), call)) {
      const name = parsePackName(object.key);
      if (name === undefined) continue;
      const references = this.decisions.takeTarget(name);
      const { sizeBytes, modifiedMs } = object;
      const count = items.get(`${name.kind}/${name.lane}/${name.number}`) ?? 0;
      const facts = { sizeBytes, modifiedMs, items: count, references: references ?? 0, forwards: [] };
      if (!this.#planning.survey.withPacks.has(of.session)) this.decisions.keep({ ...name, ...facts }, "new");
      else if (references === undefined) this.#dropMoved({ ...name, sizeBytes });
      else {
        this.decisions.keep({ ...name, sizeBytes }, "referenced");
        this.#addCandidate({ ...name, ...facts, isMoved: true });
      }
    }
  }

  #dropMoved(pack: Parameters<PackDecisions["keep"]>[0]): void {
    if (this.#isUnsettled) this.decisions.keep(pack, "unsettled");
    else this.decisions.delete(pack, "unreferenced");
  }

  #stateOf(session: string): SessionState {
    const state = this.#planning.judgement.states.get(session);
    return state ?? (this.#forwards.ended.has(session) ? "ended" : "unknown");
  }
}

function isExplained(forwards: ResolvedForwards | undefined): boolean {
  if (forwards === undefined) return false;
  return forwards.winner !== undefined || forwards.pending.length > 0 || forwards.repairs.length > 0;
}
