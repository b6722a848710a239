import { mapConcurrent } from "@garrison/core/map-concurrent";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { PackAddress } from "../format/pack-container.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { VolumePlace } from "../point/page-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { CheckBudget, DomainCheck } from "./check-plan.ts";
import { keeperOf } from "./keeper-of.ts";
import { AgeCensus, allPacks, drawPacks, oldestPacks } from "./choose-packs.ts";
import { PackSet } from "./pack-set.ts";
import type { PackUnion } from "./pack-union.ts";
import { readPackEnds, readWholePack } from "./read-whole-pack.ts";
import { loadVerified, noteVerified, type VerifiedMemory } from "./verified-note.ts";
import { VerifiedPacks } from "./verified-packs.ts";

/** A pack is 32 MiB at most. */
const packsAtOnce = 2;
const endsAtOnce = 8;
/** What was read is noted this often: an interrupted check loses no more. */
const bytesPerNote = 64 * 2 ** 30;
const defaultShare = 0.01;

/** Reads the packs that a check's level or budget chooses, and remembers having read them. */
export class PackReading {
  /** Packs whose footer can't be read: their items are found through the maps only. */
  readonly unlisted = new PackSet();
  readonly #check: DomainCheck;
  readonly #census = new AgeCensus();
  /** What was read, by the time at which it was read before. */
  readonly #read = new Map<number, PackSet>();
  readonly #startedAtMs: number;
  /** As it was at the start: what is chosen by it does not change while it is read. */
  readonly #verified: VerifiedPacks;
  #memory: VerifiedMemory;
  #isNeeded: (pack: PackAddress) => boolean = () => true;
  #packsRead = 0;
  #bytesRead = 0;
  #bytesNoted = 0;

  private constructor(check: DomainCheck, memory: VerifiedMemory) {
    this.#check = check;
    this.#memory = memory;
    this.#verified = memory.verified;
    this.#startedAtMs = check.memory?.clock.now() ?? 0;
  }

  static async open(check: DomainCheck, call: StoreCall): Promise<PackReading> {
    const { memory, plan } = check;
    if (plan.budget !== undefined && memory === undefined) {
      throw new GarrisonError("usage", "a part of a check needs a memory of what was read when");
    }
    const isNoted = memory !== undefined && plan.level !== "structure";
    return new PackReading(check, isNoted ? await loadVerified(check, call) : noMemory);
  }

  /** With a budget: all rounds are counted before the first is read. */
  count(round: PackUnion): void {
    this.#census.count(round, this.#verified);
  }

  async readRound(round: PackUnion, call: StoreCall): Promise<void> {
    const { level, budget } = this.#check.plan;
    this.#isNeeded = (pack) => !round.covers(pack.session) || round.find(pack.kind, pack) !== undefined;
    if (level === "structure") return;
    if (level === "full" && budget === undefined) await this.#readEnds(round, call);
    else await this.#readWhole(round, call);
  }

  /** Whether every item of the pack is or will be opened by this check. */
  opens(pack: PackAddress): boolean {
    const { level, budget } = this.#check.plan;
    if (level === "full" && budget === undefined) return true;
    return [...this.#read.values()].some((packs) => packs.has(pack));
  }

  async note(call: StoreCall): Promise<void> {
    const keeper = keeperOf(this.#check);
    if (keeper === undefined || this.#packsRead === 0) return;
    // A second between those of one time and those of the next keeps their order for the next cycle, so that each pack is
    // read once in it.
    const seconds = Math.floor(this.#startedAtMs / 1000);
    const order = [...this.#read].sort(([left], [right]) => left - right);
    const read = order.map(([, packs], index) => ({ at: seconds + index, packs }));
    const now = { memory: this.#memory, read, isNeeded: this.#isNeeded };
    this.#memory = await noteVerified(keeper, now, call);
    this.#bytesNoted = this.#bytesRead;
  }

  counts(): { readonly packsRead: number; readonly bytesRead: number; readonly bytesDue: number } {
    const overdue = this.#census.overdue(this.#dueBefore());
    const bytesDue = Math.max(0, overdue - this.#bytesRead);
    return { packsRead: this.#packsRead, bytesRead: this.#bytesRead, bytesDue };
  }

  /** A full check opens what lies between the ends through the maps. */
  async #readEnds(round: PackUnion, call: StoreCall): Promise<void> {
    const check = this.#check;
    const options = { concurrency: endsAtOnce, signal: call.signal };
    const read = async (use: PackUse) => {
      if (!isGone(check, use) && use.items > 0) await readPackEnds(check, use, call);
      return use;
    };
    for await (const use of mapConcurrent(allPacks(round), options, read)) this.#add(use);
  }

  async #readWhole(round: PackUnion, call: StoreCall): Promise<void> {
    const check = this.#check;
    const options = { concurrency: packsAtOnce, signal: call.signal };
    const read = async (use: PackUse) => {
      const places = placesOf(check, round, use);
      const outcome = isGone(check, use) ? "read" : await readWholePack(check, { use, places }, call);
      return { use, outcome };
    };
    for await (const { use, outcome } of mapConcurrent(this.#chosen(round), options, read)) {
      this.#add(use);
      if (outcome === "unlisted") this.unlisted.add(use);
      if (this.#bytesRead - this.#bytesNoted >= bytesPerNote) await this.note(call);
    }
  }

  #chosen(round: PackUnion): Iterable<PackUse> {
    const { budget, share = defaultShare, seed = "sample" } = this.#check.plan;
    if (budget === undefined) return drawPacks(round, { share, seed: `${seed}/${round.from}` });
    const reach = this.#census.reach({ bytes: budget.bytes ?? Infinity, before: this.#dueBefore() });
    if (reach === undefined) return [];
    return this.#within(budget, oldestPacks(round, { verified: this.#verified, reach }));
  }

  /** At least one pack is read, however small the budget: a cycle always goes on. */
  *#within(budget: CheckBudget, packs: Iterable<PackUse>): Generator<PackUse> {
    const clock = this.#check.memory!.clock;
    let begun = this.#bytesRead;
    for (const use of packs) {
      const isOver = begun > 0 && begun + use.sizeBytes > (budget.bytes ?? Infinity);
      const isLate = begun > 0 && clock.now() - this.#startedAtMs >= (budget.durationMs ?? Infinity);
      if (isOver || isLate) return;
      begun += isGone(this.#check, use) ? 0 : use.sizeBytes;
      yield use;
    }
  }

  /** Seconds: packs that were read before are due. */
  #dueBefore(): number {
    const maxAgeMs = this.#check.plan.budget?.maxAgeMs ?? -1000;
    return Math.floor((this.#startedAtMs - maxAgeMs) / 1000);
  }

  #add(use: PackUse): void {
    const before = this.#check.plan.budget === undefined ? 0 : this.#verified.find(use);
    const packs = this.#read.get(before) ?? new PackSet();
    this.#read.set(before, packs);
    packs.add(use);
    if (isGone(this.#check, use)) return;
    this.#packsRead++;
    this.#bytesRead += use.sizeBytes;
  }
}

const noMemory: VerifiedMemory = { verified: new VerifiedPacks(), notes: [] };

/** It is lost or has been moved, as is known by now: there is nothing to read. */
function isGone(check: DomainCheck, use: PackUse): boolean {
  return use.sizeBytes === 0 || check.moved.gone.has(use) || check.damage.lost.find(use)?.keptBytes === 0;
}

/** Pages that were moved belong where those of the packs belong that they came from. */
function placesOf(check: DomainCheck, round: PackUnion, use: PackUse): readonly VolumePlace[] {
  const sessions = check.moved.leadingTo(use).map((name) => name.origin.session);
  return [use.session, ...new Set(sessions)].flatMap((session) => round.placesOf(session));
}
