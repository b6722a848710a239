import type { ItemAddress } from "../format/page-reference.ts";
import type { PackKind } from "../format/object-names.ts";
import type { PackAddress } from "../format/pack-container.ts";

/** What is lost of one pack. */
export interface LostPack extends PackAddress {
  /** Present when its end is gone: what does not lie wholly before this byte is lost. 0: all of it. */
  readonly keptBytes?: number;
  /** Where single lost items begin, ascending. */
  readonly offsets: readonly number[];
  /** Where items begin that can be read elsewhere all the same. */
  readonly covered?: readonly number[];
}

interface Loss {
  readonly pack: PackAddress;
  keptBytes: number | undefined;
  readonly offsets: Set<number>;
  /** Where items begin that can be read elsewhere. */
  readonly covered: Set<number>;
}

/**
 * Addresses under which nothing can be read any more. Whoever writes must not refer to them again; whoever restores can
 * tell beforehand what will be missing. One entry for a whole pack, four bytes or so for an item.
 */
export class LostItems {
  readonly #losses = new Map<string, Loss>();
  /** Most entries of most maps name a session that has lost nothing: that is cheap to see. */
  readonly #sessions = new Set<string>();

  get isEmpty(): boolean {
    return ![...this.#losses.values()].some(isLoss);
  }

  /** The pack is gone, or ends after `keptBytes`. */
  addPack(pack: PackAddress, keptBytes = 0): void {
    const loss = this.#loss(pack);
    loss.keptBytes = Math.min(loss.keptBytes ?? Number.POSITIVE_INFINITY, keptBytes);
  }

  /** Whether it was not known before. */
  addItem(pack: PackAddress, offset: number): boolean {
    const { offsets } = this.#loss(pack);
    const isNew = !offsets.has(offset);
    offsets.add(offset);
    return isNew;
  }

  add(lost: LostPack): void {
    if (lost.keptBytes !== undefined) this.addPack(lost, lost.keptBytes);
    for (const offset of lost.offsets) this.addItem(lost, offset);
    for (const offset of lost.covered ?? []) this.cover(lost, offset);
  }

  has(kind: PackKind, address: ItemAddress): boolean {
    if (!this.#sessions.has(address.session)) return false;
    const loss = this.#losses.get(packKey(packOf(kind, address)));
    if (loss === undefined) return false;
    if (loss.covered.has(address.offset)) return false;
    const isCut = loss.keptBytes !== undefined && address.offset + address.length > loss.keptBytes;
    return isCut || loss.offsets.has(address.offset);
  }

  /** The item is not lost after all: another copy of it can be read under its address. */
  cover(pack: PackAddress, offset: number): void {
    this.#loss(pack).covered.add(offset);
  }

  isCovered(pack: PackAddress): boolean {
    return (this.#losses.get(packKey(pack))?.covered.size ?? 0) > 0;
  }

  find(pack: PackAddress): LostPack | undefined {
    const loss = this.#losses.get(packKey(pack));
    return loss === undefined || !isLoss(loss) ? undefined : describe(loss);
  }

  /** Also what has been lost and can be read elsewhere, all of it. */
  *known(): Generator<LostPack> {
    for (const key of [...this.#losses.keys()].sort()) yield describe(this.#losses.get(key)!);
  }

  /** In the order of their names. */
  *packs(): Generator<LostPack> {
    for (const pack of this.known()) if (isLoss(this.#losses.get(packKey(pack))!)) yield pack;
  }

  #loss(pack: PackAddress): Loss {
    const key = packKey(pack);
    let loss = this.#losses.get(key);
    if (loss === undefined) {
      const { kind, session, lane, number } = pack;
      loss = {
        pack: { kind, session, lane, number },
        keptBytes: undefined,
        offsets: new Set(),
        covered: new Set(),
      };
      this.#losses.set(key, loss);
      this.#sessions.add(session);
    }
    return loss;
  }
}

/** Not so when all of its lost items have been found elsewhere. */
function isLoss({ keptBytes, offsets, covered }: Loss): boolean {
  return keptBytes !== undefined || [...offsets].some((offset) => !covered.has(offset));
}

function describe({ pack, keptBytes, offsets, covered }: Loss): LostPack {
  return {
    ...pack,
    ...(keptBytes === undefined ? {} : { keptBytes }),
    offsets: ascending(offsets),
    ...(covered.size === 0 ? {} : { covered: ascending(covered) }),
  };
}

function ascending(numbers: Iterable<number>): readonly number[] {
  return [...numbers].sort((left, right) => left - right);
}

/** Sorts like the object's name. */
export function packKey(pack: PackAddress): string {
  return `${pack.kind}/${pack.session}/${pack.lane}-${pack.number.toString(16).padStart(8, "0")}`;
}

/** The pack that an item lies in. */
export function packOf(kind: PackKind, address: ItemAddress): PackAddress {
  return { kind, session: address.session, lane: address.lane, number: address.pack };
}
