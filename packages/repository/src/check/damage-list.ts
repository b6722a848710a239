import type { PackAddress } from "../format/pack-container.ts";
import { packName } from "../format/object-names.ts";
import { LostItems, packKey } from "../repair/lost-items.ts";
import type { Finding, HitVolume } from "./check-plan.ts";

/** What is wrong with a pack. */
export interface PackDamage {
  /** The pack that addresses name. */
  readonly pack: PackAddress;
  /** The object that is damaged, when the items of the pack are elsewhere by now. */
  readonly key?: string;
  readonly code: string;
  readonly message: string;
}

interface DamagedPack {
  readonly pack: PackAddress;
  /** Said of the whole pack: it is gone, has another size, its ends are wrong. */
  readonly whole: PackDamage[];
  /** The first item that is damaged, and how many are. */
  item: PackDamage | undefined;
  items: number;
  hitCount: number;
  readonly hits: HitVolume[];
}

const defaultHitsListed = 20;

/**
 * All damage that a check has come upon, by pack: however many points and blocks it hits, it is one finding. Kept until
 * the end, when it is known who is hit.
 */
export class DamageList {
  readonly lost = new LostItems();
  readonly #packs = new Map<string, DamagedPack>();
  readonly #hitsListed: number;

  constructor(options: { readonly hitsListed?: number | undefined } = {}) {
    this.#hitsListed = options.hitsListed ?? defaultHitsListed;
  }

  /** The pack, or what lies behind its first `keptBytes`, is gone. */
  addPack(damage: PackDamage, keptBytes: number): void {
    this.#find(damage.pack).whole.push(damage);
    this.lost.addPack(damage.pack, keptBytes);
  }

  /** Something is wrong with the pack that loses none of its items: its header, its footer, its length. */
  addFlaw(damage: PackDamage): void {
    const { whole } = this.#find(damage.pack);
    if (!whole.some((each) => each.code === damage.code)) whole.push(damage);
  }

  addItem(damage: PackDamage, offset: number): void {
    if (!this.lost.addItem(damage.pack, offset)) return;
    const found = this.#find(damage.pack);
    found.item ??= damage;
    found.items++;
  }

  /** A volume of a point refers to what is lost of the pack. */
  async addHit(pack: PackAddress, describe: () => Promise<HitVolume>): Promise<void> {
    const found = this.#find(pack);
    found.hitCount++;
    if (found.hits.length < this.#hitsListed) found.hits.push(await describe());
  }

  /** What points have lost by it, and what they would have lost without a repair. Items that no point refers to are none of it. */
  lostToPoints(): LostItems {
    const lost = new LostItems();
    for (const pack of this.lost.known()) {
      const isHit = (this.#packs.get(packKey(pack))?.hitCount ?? 0) > 0;
      if (isHit || pack.covered !== undefined) lost.add(pack);
    }
    return lost;
  }

  /** Damage to items that no point refers to is left out: nothing is lost by it. */
  *findings(domain: string): Generator<Finding> {
    for (const key of [...this.#packs.keys()].sort()) {
      const found = this.#packs.get(key)!;
      const name = packName(domain, found.pack.kind, found.pack);
      // A pack that is gone, but all of whose items have been stored again, hits nobody.
      const isHealed = found.hitCount === 0 && this.lost.isCovered(found.pack);
      for (const damage of isHealed ? [] : found.whole) yield { ...base(name, damage), ...hitsOf(found) };
      const { item } = found;
      if (item === undefined || found.hitCount === 0) continue;
      const message =
        found.items > 1 ? `${item.message}, and ${found.items - 1} more items of it` : item.message;
      yield { ...base(name, { ...item, message }), ...hitsOf(found) };
    }
  }

  #find(pack: PackAddress): DamagedPack {
    const key = packKey(pack);
    let found = this.#packs.get(key);
    if (found === undefined) {
      found = { pack, whole: [], item: undefined, items: 0, hitCount: 0, hits: [] };
      this.#packs.set(key, found);
    }
    return found;
  }
}

function base(name: string, { key = name, code, message }: PackDamage) {
  return { severity: "damage", code, key, message } as const;
}

function hitsOf({
  hits,
  hitCount,
}: DamagedPack): Pick<Finding, "point" | "volumeId" | "range" | "hits" | "hitCount"> {
  const first = hits[0];
  if (first === undefined) return {};
  const range = first.ranges[0];
  const { point, volumeId } = first;
  return { point, volumeId, ...(range === undefined ? {} : { range }), hitCount, hits };
}
