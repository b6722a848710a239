import {
  forwardPrefix,
  packFolder,
  parseForwardName,
  parsePackName,
  type PackKind,
} from "../format/object-names.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall, StoredObject } from "../store/object-store.ts";
import { PackWindow, placeOf } from "./pack-window.ts";

const kinds: readonly PackKind[] = ["pack", "map"];

/**
 * The listings of packs, map packs and forwards, side by side, cut into windows of about `windowPacks` packs and forwards:
 * what is known of one pack is in one window.
 */
export async function* listWindows(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  wanted: { readonly windowPacks: number; readonly withForwards: boolean },
  call: StoreCall,
): AsyncGenerator<PackWindow> {
  const { store, keys } = dependencies;
  const listed = kinds.map((kind) => packsOf(store.list(packFolder(keys.domain, kind), call)));
  const moved = kinds.map((kind) => forwardsOf(store.list(forwardPrefix(keys.domain, kind), call)));
  // A pack comes before its forwards.
  const sources = [...listed, ...(wanted.withForwards ? moved : [])].map((each) => new Peekable(each));
  let window = new PackWindow(undefined);
  let place: string | undefined;
  for (;;) {
    const source = await firstOf(sources);
    const item = source?.ahead;
    if (source === undefined || item === undefined) break;
    if (place !== undefined && item.place > place && window.size >= wanted.windowPacks) {
      window.end(place);
      yield window;
      window = new PackWindow(place);
    }
    place = item.place;
    item.add(window);
    source.pass();
  }
  yield window;
}

/** The source whose next item sorts first; of equal ones the first. */
async function firstOf<Item extends { readonly place: string }>(
  sources: readonly Peekable<Item>[],
): Promise<Peekable<Item> | undefined> {
  let first: Peekable<Item> | undefined;
  for (const source of sources) {
    if (source.isBehind) await source.read();
    if (source.ahead === undefined) continue;
    if (first?.ahead === undefined || source.ahead.place < first.ahead.place) first = source;
  }
  return first;
}

interface ListedItem {
  readonly place: string;
  readonly add: (window: PackWindow) => void;
}

async function* packsOf(listed: AsyncIterable<StoredObject>): AsyncGenerator<ListedItem> {
  for await (const object of listed) {
    const name = parsePackName(object.key);
    if (name !== undefined) yield { place: placeOf(name), add: (window) => window.addPack(name, object) };
  }
}

async function* forwardsOf(listed: AsyncIterable<StoredObject>): AsyncGenerator<ListedItem> {
  for await (const object of listed) {
    const name = parseForwardName(object.key);
    if (name !== undefined) yield { place: placeOf(name.origin), add: (window) => window.addForward(name) };
  }
}

/** An iterator whose next item can be looked at. */
class Peekable<Item> {
  readonly #iterator: AsyncIterator<Item>;
  /** Nothing: it has been passed, or there are no more. */
  ahead: Item | undefined;
  isBehind = true;

  constructor(items: AsyncGenerator<Item>) {
    this.#iterator = items;
  }

  async read(): Promise<void> {
    const { done, value } = await this.#iterator.next();
    this.ahead = done === true ? undefined : (value as Item);
    this.isBehind = false;
  }

  pass(): void {
    this.ahead = undefined;
    this.isBehind = true;
  }
}
