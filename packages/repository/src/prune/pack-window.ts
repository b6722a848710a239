import {
  forwardPrefix,
  packFolder,
  parseForwardName,
  parsePackName,
  type ForwardName,
  type PackKind,
  type PackName,
} from "../format/object-names.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall, StoredObject } from "../store/object-store.ts";

/** What a window knows of a pack when all roots have been asked. */
export interface WindowPack extends PackName {
  readonly kind: PackKind;
  /** 0: it is not listed, only forwards speak of it. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly items: number;
  /** Upper estimate of its items that roots refer to; 0 means none does. */
  readonly references: number;
  readonly forwards: readonly ForwardName[];
}

// Numbers kept of each pack: its own, size, age in seconds, items, references, references of the volume being counted.
const stride = 6;
const [sizeAt, secondsAt, itemsAt, referencesAt, volumeAt] = [1, 2, 3, 4, 5];

/** Packs of one lane in ascending order. */
interface Lane {
  readonly name: { readonly kind: PackKind; readonly session: string; readonly lane: string };
  facts: Uint32Array;
  length: number;
}

/**
 * A stretch of the sorted listings of packs and of forwards, by whole sessions, and what the roots' tables say of it. The
 * tables are read once for each window: one of three million packs takes 72 MB and spans up to 96 TiB, so that most
 * repositories have one. Nothing is held per chunk, and of each root only the table that is being read.
 */
export class PackWindow {
  /** Sessions after the first one and up to the second one; nothing: from the beginning, to the end. */
  readonly after: string | undefined;
  through: string | undefined;
  readonly #listed = new Map<string, Lane>();
  readonly #forwarded = new Map<string, Lane>();
  readonly #forwards = new Map<string, ForwardName[]>();
  readonly #missing = new Map<string, PackUse>();
  #counted: { readonly lane: Lane; readonly at: number }[] = [];
  #packs = 0;

  constructor(after: string | undefined) {
    this.after = after;
  }

  get packs(): number {
    return this.#packs;
  }

  addPack(name: PackName & { readonly kind: PackKind }, object: StoredObject): void {
    const at = this.#append(this.#listed, name);
    at.lane.facts[at.at + sizeAt] = object.sizeBytes;
    at.lane.facts[at.at + secondsAt] = Math.floor(object.modifiedMs / 1000);
  }

  addForward(forward: ForwardName): void {
    const origin = { ...forward.origin, kind: forward.kind };
    const key = keyOf(origin);
    const known = this.#forwards.get(key);
    if (known !== undefined) return void known.push(forward);
    this.#forwards.set(key, [forward]);
    this.#append(this.#forwarded, origin);
  }

  includes(session: string): boolean {
    const isAfter = this.after === undefined || session > this.after;
    return isAfter && (this.through === undefined || session <= this.through);
  }

  /** Counts references of one volume; packs that are neither listed nor forwarded are noted as missing. */
  mention(use: PackUse): void {
    if (!this.includes(use.session)) return;
    const lane = find(this.#listed, use) ?? find(this.#forwarded, use);
    if (lane === undefined) return void this.#missing.set(keyOf(use), use);
    const { facts } = lane.lane;
    if (facts[lane.at + volumeAt] === 0) this.#counted.push(lane);
    facts[lane.at + volumeAt] = Math.max(facts[lane.at + volumeAt]!, use.references);
    facts[lane.at + itemsAt] = Math.max(facts[lane.at + itemsAt]!, use.items);
  }

  /**
   * Ends a volume. Of its points the one with most references counts: what a later one refers to in a pack that is not its
   * own is, as a rule, a part of that. Volumes add up.
   */
  endVolume(): void {
    for (const { lane, at } of this.#counted) {
      lane.facts[at + referencesAt]! += lane.facts[at + volumeAt]!;
      lane.facts[at + volumeAt] = 0;
    }
    this.#counted = [];
  }

  missing(): Iterable<PackUse> {
    return this.#missing.values();
  }

  /** All packs that are listed, then those that only forwards speak of; each in the order of their names. */
  *entries(): Generator<WindowPack> {
    for (const lane of this.#listed.values()) {
      for (let at = 0; at < lane.length; at += stride) yield this.#entry(lane, at);
    }
    for (const lane of this.#forwarded.values()) {
      for (let at = 0; at < lane.length; at += stride) {
        const entry = this.#entry(lane, at);
        if (find(this.#listed, entry) === undefined) yield entry;
      }
    }
  }

  #entry(lane: Lane, at: number): WindowPack {
    const [number, sizeBytes, seconds, items, references] = lane.facts.subarray(at, at + stride);
    const name = { ...lane.name, number: number! };
    const counts = { sizeBytes: sizeBytes!, modifiedMs: seconds! * 1000, items: items! };
    return { ...name, ...counts, references: references!, forwards: this.#forwards.get(keyOf(name)) ?? [] };
  }

  #append(lanes: Map<string, Lane>, name: PackName & { readonly kind: PackKind }) {
    const key = laneKey(name);
    let lane = lanes.get(key);
    if (lane === undefined) {
      const { kind, session, lane: id } = name;
      lane = { name: { kind, session, lane: id }, facts: new Uint32Array(stride * 16), length: 0 };
      lanes.set(key, lane);
    }
    if (lane.length === lane.facts.length) {
      const larger = new Uint32Array(lane.facts.length * 2);
      larger.set(lane.facts);
      lane.facts = larger;
    }
    const at = lane.length;
    lane.facts[at] = name.number;
    lane.length += stride;
    this.#packs++;
    return { lane, at };
  }
}

function laneKey(name: { readonly kind: PackKind; readonly session: string; readonly lane: string }): string {
  return `${name.kind}${name.session}${name.lane}`;
}

function keyOf(name: PackName & { readonly kind: PackKind }): string {
  return `${laneKey(name)}${name.number}`;
}

function find(lanes: ReadonlyMap<string, Lane>, name: PackName & { readonly kind: PackKind }) {
  const lane = lanes.get(laneKey(name));
  if (lane === undefined) return undefined;
  let [low, high] = [0, lane.length / stride];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lane.facts[middle * stride]! < name.number) low = middle + 1;
    else high = middle;
  }
  const at = low * stride;
  return at < lane.length && lane.facts[at] === name.number ? { lane, at } : undefined;
}

const kinds: readonly PackKind[] = ["pack", "map"];

/** The listings of packs, map packs and forwards, side by side, cut into windows between sessions. */
export async function* listWindows(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  wanted: { readonly windowPacks: number; readonly withForwards: boolean },
  call: StoreCall,
): AsyncGenerator<PackWindow> {
  const { store, keys } = dependencies;
  const packs = kinds.map((kind) => new Peekable(packsOf(store.list(packFolder(keys.domain, kind), call))));
  const forwards = kinds.map(
    (kind) => new Peekable(forwardsOf(store.list(forwardPrefix(keys.domain, kind), call))),
  );
  const sources = wanted.withForwards ? [...packs, ...forwards] : packs;
  let window = new PackWindow(undefined);
  for (;;) {
    const sessions = await Promise.all(sources.map(async (source) => (await source.peek())?.session));
    const session = sessions.filter((each) => each !== undefined).toSorted()[0];
    if (session === undefined) break;
    for (const source of sources) {
      for (let item = await source.peek(); item?.session === session; item = await source.next())
        item.add(window);
    }
    if (window.packs < wanted.windowPacks) continue;
    window.through = session;
    yield window;
    window = new PackWindow(session);
  }
  yield window;
}

interface ListedItem {
  readonly session: string;
  readonly add: (window: PackWindow) => void;
}

async function* packsOf(listed: AsyncIterable<StoredObject>): AsyncGenerator<ListedItem> {
  for await (const object of listed) {
    const name = parsePackName(object.key);
    if (name !== undefined) yield { session: name.session, add: (window) => window.addPack(name, object) };
  }
}

async function* forwardsOf(listed: AsyncIterable<StoredObject>): AsyncGenerator<ListedItem> {
  for await (const object of listed) {
    const name = parseForwardName(object.key);
    if (name !== undefined) yield { session: name.origin.session, add: (window) => window.addForward(name) };
  }
}

/** An iterator whose next item can be looked at. */
class Peekable<Item> {
  readonly #iterator: AsyncIterator<Item>;
  #ahead: Promise<IteratorResult<Item>> | undefined;

  constructor(items: AsyncGenerator<Item>) {
    this.#iterator = items;
  }

  async peek(): Promise<Item | undefined> {
    this.#ahead ??= this.#iterator.next();
    const { done, value } = await this.#ahead;
    return done === true ? undefined : (value as Item);
  }

  /** Goes on to the next item and answers it. */
  async next(): Promise<Item | undefined> {
    this.#ahead = this.#iterator.next();
    return this.peek();
  }
}
