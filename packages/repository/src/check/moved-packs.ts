import { forwardPrefix, parseForwardName, type ForwardName, type PackKind } from "../format/object-names.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { PackTable, type PackUse } from "../format/pack-table.ts";
import type { SessionMoves } from "../format/session-objects.ts";
import { packKey } from "../repair/lost-items.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import { PackSet } from "./pack-set.ts";
import type { PackUnion } from "./pack-union.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

/**
 * Where items of packs that points refer to are by now. Of moves only those count that are committed, and of several for
 * one pack the last one; repairs all count. The packs that they lead to are needed like those that tables mention.
 */
export class MovedPacks {
  /** The targets. */
  readonly table = new PackTable();
  readonly #origins = new Set<string>();
  readonly #byTarget = new Map<string, ForwardName[]>();
  /** All packs that committed moves have made. */
  readonly #made = new PackTable();
  /** Packs whose items are elsewhere and that are not there any more themselves. */
  readonly gone = new PackSet();

  /** A session's moves count from now on. */
  addMoves({ session, packs }: SessionMoves, epoch: number): void {
    for (const { kind, lane, number, ...facts } of packs)
      this.#made.describe(kind, { session, lane, number }, { ...facts, epoch });
  }

  /** Takes in what has been moved of the packs of one round; two listings. */
  async collect(check: DomainCheck, round: PackUnion, call: StoreCall): Promise<void> {
    for (const kind of packKinds) {
      let last: ForwardName | undefined;
      for await (const object of check.store.list(forwardPrefix(check.keys.domain, kind), call)) {
        const name = parseForwardName(object.key);
        if (name === undefined) continue;
        if (this.isRepair(name)) {
          this.#add(round, name);
          continue;
        }
        if (last !== undefined && packKey({ kind, ...last.origin }) !== packKey({ kind, ...name.origin })) {
          this.#add(round, last);
        }
        last = name;
      }
      if (last !== undefined) this.#add(round, last);
    }
  }

  /** Whether a forward leads to another copy, not to where a move has put the item; one that doesn't count yet looks so, too. */
  isRepair(name: ForwardName): boolean {
    return this.#factsOf(name) === undefined;
  }

  /** Whether all of the pack's items are elsewhere by now. */
  has(origin: PackAddress): boolean {
    return this.#origins.has(packKey(origin));
  }

  /** The forwards that lead to a pack; none when it holds nothing that was moved. */
  leadingTo(target: PackAddress): readonly ForwardName[] {
    return this.#byTarget.get(packKey(target)) ?? [];
  }

  #factsOf({ kind, target }: ForwardName): PackUse | undefined {
    const facts = this.#made.find(kind, target);
    return facts === undefined || facts.items === 0 ? undefined : facts;
  }

  #add(round: PackUnion, name: ForwardName): void {
    const { kind, origin, target } = name;
    if (round.find(kind, origin) === undefined) return;
    const key = packKey({ kind, ...target });
    const known = this.#byTarget.get(key) ?? [];
    this.#byTarget.set(key, known);
    known.push(name);
    const facts = this.#factsOf(name);
    if (facts !== undefined) this.#origins.add(packKey({ kind, ...origin }));
    if (known.length > 1) return;
    this.table.addReference(kind, target, 1);
    // What a repair leads to is told by the points that stored it; when these have ended, the listing tells its size.
    if (facts !== undefined) this.table.describe(kind, target, facts);
  }
}
