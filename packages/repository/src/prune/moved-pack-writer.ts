import { isGarrisonError } from "@garrison/core/garrison-error";
import { MiB } from "@garrison/core/units";
import { defaultLimits } from "../backup/engine-limits.ts";
import type { ForwardedItem } from "../format/forward.ts";
import { packName, type ForwardName, type PackKind } from "../format/object-names.ts";
import { PackBuilder } from "../format/pack-container.ts";
import type { MarkPack } from "../format/session-objects.ts";
import { storeForward, type KeeperSession } from "../keeper/keeper-session.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { OriginSurvivors } from "./gather-units.ts";
import type { PruneDependencies } from "./prune-plan.ts";

const maxRangeBytes = 8 * MiB;
const maxGapBytes = 64 * 1024;
// Nothing is sealed here: the items keep the keys that they were sealed under.
const noKey = new Uint8Array(32);

type NewForward = ForwardName & { readonly items: readonly ForwardedItem[] };

/** Fills packs of one kind with items that are sealed already, and writes their forwards behind each pack. */
export class MovedPackWriter {
  readonly #pruner: PruneDependencies;
  readonly #session: KeeperSession;
  readonly #kind: PackKind;
  readonly #call: StoreCall;
  readonly #buffer: Buffer;
  readonly packs: MarkPack[] = [];
  #builder: PackBuilder | undefined;
  #forwards: NewForward[] = [];
  #next = 0;
  itemsMoved = 0;
  bytesMoved = 0;

  constructor(
    pruner: PruneDependencies,
    owner: { readonly session: KeeperSession; readonly kind: PackKind },
    call: StoreCall,
  ) {
    this.#pruner = pruner;
    this.#session = owner.session;
    this.#kind = owner.kind;
    this.#call = call;
    const { packBytes, mapPackBytes } = defaultLimits;
    this.#buffer = Buffer.allocUnsafeSlow(owner.kind === "pack" ? packBytes : mapPackBytes);
  }

  /**
   * Copies all survivors of one origin out of `source` into one pack. False when the source has disappeared: another pass
   * was first.
   */
  async copy(source: string, survivors: OriginSurvivors): Promise<boolean> {
    const bytes = survivors.items.reduce((total, { entry }) => total + entry.length, 0);
    if (this.#builder?.hasRoomForSealed(survivors.items.length, bytes) === false) await this.close();
    const builder = (this.#builder ??= this.#begin());
    const items: ForwardedItem[] = [];
    try {
      for (const range of rangesOf(survivors.items)) {
        const { offset, length } = range;
        const stored = await this.#pruner.store.read(source, { ...this.#call, range: { offset, length } });
        for (const { offset: address, entry } of range.items) {
          const item = stored.subarray(entry.offset - offset, entry.offset - offset + entry.length);
          const { offset: newOffset } = builder.appendSealed(entry, item);
          const place = { offset: address, length: entry.length, newOffset, newLength: entry.length };
          items.push({ ...place, codec: entry.codec });
        }
      }
    } catch (error) {
      if (isGarrisonError(error, "object-missing")) return false;
      throw error;
    }
    this.#forwards.push({ kind: this.#kind, origin: survivors.origin, target: builder.pack, items });
    this.itemsMoved += items.length;
    this.bytesMoved += bytes;
    return true;
  }

  /** Stores the pack that is being filled, then the forwards that lead there. */
  async close(): Promise<void> {
    const builder = this.#builder;
    if (builder === undefined) return;
    const forwards = this.#forwards;
    this.#builder = undefined;
    this.#forwards = [];
    if (forwards.length === 0) return;
    const bytes = builder.finish();
    await this.#pruner.store.create(
      packName(this.#pruner.keys.domain, this.#kind, builder.pack),
      bytes,
      this.#call,
    );
    for (const forward of forwards) await storeForward(this.#pruner, forward, this.#call);
    const { lane, kind, number } = builder.pack;
    this.packs.push({ lane, kind, number, items: builder.items, sizeBytes: bytes.length });
  }

  #begin(): PackBuilder {
    const { sessionId: session, laneId: lane } = this.#session;
    const pack = { kind: this.#kind, session, lane, number: this.#next++ };
    return new PackBuilder(pack, { keys: this.#pruner.keys, itemKey: noKey }, this.#buffer);
  }
}

type Item = OriginSurvivors["items"][number];

/** Neighbours are read together. Items are in the order of the pack. */
function rangesOf(items: readonly Item[]) {
  const ranges: { readonly offset: number; length: number; readonly items: Item[] }[] = [];
  for (const item of items) {
    const { offset, length } = item.entry;
    const last = ranges.at(-1);
    const end = offset + length;
    const isNear = last !== undefined && offset - (last.offset + last.length) <= maxGapBytes;
    if (last !== undefined && isNear && end - last.offset <= maxRangeBytes) {
      last.length = end - last.offset;
      last.items.push(item);
    } else ranges.push({ offset, length, items: [item] });
  }
  return ranges;
}
