import { Violation } from "../world/violation.ts";
import { itemName, type Holder, type ModelPoint, type ModelSession, type Reach } from "./model-point.ts";
import type { PackShelf } from "./pack-shelf.ts";

/** Deletion of ended points is promised no earlier than this before the grace is over: store times are coarse. */
const coarsenessMs = 4000;

export interface HeldItemsOptions {
  readonly shelf: PackShelf;
  readonly graceMs: number;
  readonly nowMs: () => number;
}

/**
 * Who holds what: points without tombstone hold what they reach, open sessions hold what their bases reach and all that
 * bears their name. What nobody holds any more is dead, and a later record that refers to it breaks a promise.
 */
export class HeldItems {
  readonly points = new Map<string, ModelPoint>();
  readonly sessions = new Map<string, ModelSession>();
  /** Of every tombstone, which effect on the bucket it was. */
  readonly tombstones = new Map<string, number>();
  readonly #options: HeldItemsOptions;
  readonly #dead = new Set<string>();
  readonly #deadSessions = new Set<string>();

  constructor(options: HeldItemsOptions) {
    this.#options = options;
  }

  session(id: string): ModelSession {
    const known = this.sessions.get(id);
    if (known !== undefined) return known;
    const session: ModelSession = {
      session: id,
      isOpened: false,
      bases: [],
      slot: "empty",
      newestObjectAtMs: 0,
    };
    this.sessions.set(id, session);
    return session;
  }

  isOpen(id: string): boolean {
    const session = this.sessions.get(id);
    return session !== undefined && session.isOpened && session.slot === "empty";
  }

  /** Those whose bytes may not go; `grace` is a promise to people, not a matter of safety. */
  *holders(): Generator<Holder> {
    const { graceMs, nowMs } = this.#options;
    for (const point of this.points.values()) {
      const { session, reach, endedAtMs, isVanished } = point;
      if (endedAtMs === undefined) yield { name: `point ${session}`, reach, kind: "point" };
      else if (!isVanished && endedAtMs + graceMs - coarsenessMs > nowMs()) {
        yield { name: `ended point ${session}`, reach, kind: "grace" };
      }
    }
    for (const session of this.sessions.values())
      if (this.isOpen(session.session)) yield* this.#basesOf(session);
  }

  isHeld(pack: string, offset: number): boolean {
    for (const holder of this.holders()) {
      if (holder.kind !== "grace" && holder.reach.get(pack)?.has(offset) === true) return true;
    }
    return false;
  }

  /** The session's slot is filled: what it held as a running one is let go. */
  close(session: ModelSession, slot: ModelSession["slot"]): void {
    const bases = [...this.#basesOf(session)];
    session.slot = slot;
    if (slot === "fence" || slot === "given-up") this.#deadSessions.add(session.session);
    for (const { reach } of bases) this.release(reach);
    if (slot !== "record") return;
    for (const [key, pack] of this.#options.shelf.ofSession(session.session)) {
      this.release(new Map([[key, pack.items]]));
    }
  }

  /** Whatever of it nobody else holds is dead from now on. */
  release(reach: Reach): void {
    for (const [pack, items] of reach) {
      const session = pack.split("/")[2]!;
      if (this.isOpen(session)) continue;
      for (const offset of items.keys()) {
        if (!this.isHeld(pack, offset)) this.#dead.add(itemName(pack, offset));
      }
    }
  }

  /** A new record may refer only to what has been held all the time. */
  requireAlive(session: string, reach: Reach): void {
    for (const [pack, items] of reach) {
      const owner = pack.split("/")[2]!;
      if (this.#deadSessions.has(owner)) {
        throw new Violation(2, `${session} refers to ${pack} of a session that was declared dead`);
      }
      for (const offset of items.keys()) {
        if (!this.#dead.has(itemName(pack, offset))) continue;
        throw new Violation(2, `${session} refers to byte ${offset} of ${pack}, which nobody held any more`);
      }
    }
  }

  /** A base counts from when it is named: if it had no tombstone then, the session may come to rely on it. */
  *#basesOf(session: ModelSession): Generator<Holder> {
    for (const base of session.bases) {
      const point = this.points.get(base.session);
      const endedAt = this.tombstones.get(base.session);
      if (point === undefined || (endedAt !== undefined && endedAt < base.saidAt)) continue;
      yield { name: `base ${base.session} of ${session.session}`, reach: point.reach, kind: "base" };
    }
  }
}
