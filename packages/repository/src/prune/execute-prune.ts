import { GarrisonError } from "@garrison/core/garrison-error";
import { forEachConcurrent } from "@garrison/core/map-concurrent";
import { isObjectError } from "../store/is-object-error.ts";
import { forwardName, packName, pointName, sessionPrefix } from "../format/object-names.ts";
import { endSlot, fenceSlot } from "../keeper/end-session.ts";
import { writeNote } from "../keeper/notes.ts";
import { readSlot, readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import { behindShadows } from "./behind-shadows.ts";
import { movePacks, type MoveResult } from "./move-packs.ts";
import type { PlannedPacks, PruneDependencies, PrunePlan, PruneSummary } from "./prune-plan.ts";
import { encodeSessions } from "./session-sets.ts";

/**
 * Does what a plan says, in the protocol's order: the catalogue first, so that what is deleted is known to be gone on
 * purpose; fences; moves; then record, forwards, packs, map packs, session objects. It may be stopped at any call, and run
 * again, late, or beside another pruner: everything that it deletes is dead for good.
 */
export async function executePrune(
  pruner: PruneDependencies,
  plan: PrunePlan,
  call: StoreCall,
): Promise<PruneSummary> {
  const pass = new Pass(behindShadows(pruner), plan, call);
  await pass.noteCatalogue();
  await pass.endVanished();
  await pass.fence();
  await pass.move();
  await pass.deleteAll();
  return pass.summary();
}

const deletesAtOnce = 8;
const refusals: readonly string[] = ["object-locked"];

class Pass {
  readonly #pruner: PruneDependencies;
  readonly #plan: PrunePlan;
  readonly #call: StoreCall;
  readonly #fenced = new Set<string>();
  readonly #notFenced: string[] = [];
  readonly #refused: string[] = [];
  #moved: MoveResult = { sources: [], beaten: [], bytesMoved: 0, findings: [] };
  readonly #counts = { records: 0, forwards: 0, packs: 0, bytes: 0, sessions: 0 };
  #done = 0;

  constructor(pruner: PruneDependencies, plan: PrunePlan, call: StoreCall) {
    this.#pruner = pruner;
    this.#plan = plan;
    this.#call = call;
  }

  summary(): PruneSummary {
    return {
      fenced: [...this.#fenced],
      notFenced: this.#notFenced,
      recordsDeleted: this.#counts.records,
      forwardsDeleted: this.#counts.forwards,
      packsDeleted: this.#counts.packs,
      bytesDeleted: this.#counts.bytes,
      sessionsTidied: this.#counts.sessions,
      packsMoved: this.#moved.sources.length,
      bytesMoved: this.#moved.bytesMoved,
      refused: this.#refused,
      findings: this.#moved.findings,
    };
  }

  async noteCatalogue(): Promise<void> {
    const { catalogue, catalogueIsNew } = this.#plan;
    if (!catalogueIsNew) return;
    const body = { parts: [encodeSessions(catalogue.points), encodeSessions(catalogue.dead)] };
    await writeNote(this.#pruner, { kind: "catalogue", body }, this.#call);
  }

  /** A person has accepted the loss: from now on these points have ended. */
  async endVanished(): Promise<void> {
    for (const point of this.#plan.vanished) await endSlot(this.#pruner, point, this.#call);
  }

  /**
   * One that has committed in the meantime was quicker, and counts as open in this pass. Its slot may even be empty again:
   * it was committed, ended and reclaimed, and others may have taken its chunks over. Its tombstone tells of that.
   */
  async fence(): Promise<void> {
    for (const { series, session } of this.#plan.fences) {
      const slot = { series, session };
      const outcome = await fenceSlot(this.#pruner, slot, this.#call);
      const isOurs = outcome === "created" || (await this.#isFenced(slot));
      if (isOurs && (await readTombstone(this.#pruner, slot, this.#call)) === "none")
        this.#fenced.add(session);
      else this.#notFenced.push(session);
    }
  }

  async move(): Promise<void> {
    if (this.#plan.moves.candidates.length > 0)
      this.#moved = await movePacks(this.#pruner, this.#plan, this.#call);
  }

  async #isFenced(slot: { readonly series: string; readonly session: string }): Promise<boolean> {
    try {
      const content = await readSlot(this.#pruner, slot, this.#call);
      return content?.state === "fence" || content?.state === "given-up";
    } catch (error) {
      if (isObjectError(error)) return false;
      throw error;
    }
  }

  async deleteAll(): Promise<void> {
    const { plan, domain } = { plan: this.#plan, domain: this.#pruner.keys.domain };
    await this.#each(plan.records, async ({ series, session }) => {
      if (await this.#delete(pointName(domain, series, session))) this.#counts.records++;
    });
    const forwards = plan.forwards.filter((each) => this.#isFree(each.why, each.target.session));
    await this.#each([...forwards, ...this.#moved.beaten], async (forward) => {
      if (await this.#delete(forwardName(domain, forward))) this.#counts.forwards++;
    });
    for (const kind of ["pack", "map"] as const) {
      for (const packs of plan.packs) {
        if (packs.kind === kind && this.#isFree(packs.why, packs.session)) await this.#deletePacks(packs);
      }
      for (const source of this.#moved.sources) {
        const packs = { ...source, numbers: [source.number], why: "moved" as const };
        if (source.kind === kind) await this.#deletePacks(packs);
      }
    }
    for (const session of plan.sessions) await this.#tidy(session);
    await this.#each(plan.notes, async (name) => void (await this.#delete(name)));
  }

  #isFree(why: string, session: string): boolean {
    return why !== "fenced" || this.#fenced.has(session);
  }

  async #deletePacks(packs: PlannedPacks): Promise<void> {
    let deleted = 0;
    await this.#each(packs.numbers, async (number) => {
      const name = packName(this.#pruner.keys.domain, packs.kind, { ...packs, number });
      if (await this.#delete(name)) deleted++;
    });
    this.#counts.packs += deleted;
    // Sizes are known by lane; what a lock refused is counted by its share.
    this.#counts.bytes += Math.round((packs.sizeBytes * deleted) / Math.max(1, packs.numbers.length));
  }

  /** What an ended session left under `session/`; `open` comes last in the order of names. */
  async #tidy(session: string): Promise<void> {
    const isToBeFenced = this.#plan.fences.some((fence) => fence.session === session);
    if (isToBeFenced && !this.#fenced.has(session)) return;
    const prefix = sessionPrefix(this.#pruner.keys.domain, session);
    let isTidy = true;
    for await (const object of this.#pruner.store.list(prefix, this.#call))
      isTidy = (await this.#delete(object.key)) && isTidy;
    if (isTidy) this.#counts.sessions++;
  }

  #each<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
    return forEachConcurrent(items, { concurrency: deletesAtOnce, signal: this.#call.signal }, run);
  }

  /** Whether it is gone. What a lock holds stays, and is reported. */
  async #delete(name: string): Promise<boolean> {
    try {
      await this.#pruner.store.delete(name, this.#call);
      this.#pruner.onProgress?.({ step: "delete", done: ++this.#done });
      return true;
    } catch (error) {
      if (!(error instanceof GarrisonError) || !refusals.includes(error.code)) throw error;
      this.#refused.push(name);
      return false;
    }
  }
}
