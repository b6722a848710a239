import { itemKinds } from "../format/format-limits.ts";
import { pageAad, pageId } from "../format/item-identity.ts";
import {
  checkHeader,
  decodeFooter,
  openItem,
  packHeaderBytes,
  packKey,
  packTrailerBytes,
  readTrailer,
  type FooterEntry,
  type PackAddress,
} from "../format/pack-container.ts";
import { unpackPayload } from "../format/page-payload.ts";
import { forwardName, type ForwardName } from "../format/object-names.ts";
import { readForward } from "../point/forward-reader.ts";
import type { PackUse } from "../format/pack-table.ts";
import { tryEpochs } from "../keys/epochs.ts";
import { verifyChunk } from "../restore/verify-chunk.ts";
import { isDamage } from "../point/is-damage.ts";
import type { VolumePlace } from "../point/page-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import { nameOfPack } from "./compare-listing.ts";

export interface WantedPack {
  readonly use: PackUse;
  /** Volumes whose pages may lie in it. */
  readonly places: readonly VolumePlace[];
}

/** `unlisted`: its footer can't be read, so that its items can only be found through the maps. */
export type PackReading = "read" | "unlisted";

/**
 * Reads a pack with one request and opens every item that its footer lists: tag, decompression, id. What is damaged goes
 * to the damage list, referred to or not.
 */
export async function readWholePack(
  check: DomainCheck,
  wanted: WantedPack,
  call: StoreCall,
): Promise<PackReading> {
  const { use } = wanted;
  const name = nameOfPack(check, use);
  try {
    const bytes = await check.store.read(name, call);
    tryFlaw(check, use, () => checkHeader(use, bytes.subarray(0, packHeaderBytes), name));
    const footer = tryFlaw(check, use, () => footerOf(check, use, bytes));
    if (footer === undefined) return "unlisted";
    const seals = await sealsOf(check, use, call);
    for (const entry of footer) {
      const sealedIn = seals === undefined ? use : seals.get(entry.offset);
      if (sealedIn !== undefined) await openEntry(check, { ...wanted, entry, bytes, sealedIn });
    }
    return "read";
  } catch (error) {
    if (!isDamage(error)) throw error;
    const keptBytes = error.code === "object-missing" ? 0 : use.sizeBytes;
    check.damage.addPack({ pack: use, code: error.code, message: error.message }, keptBytes);
    return "read";
  }
}

/**
 * Moved items stay sealed as they were: which pack's key opens each is told by the forwards that lead here. Nothing for a
 * pack of a backup, whose own key opens all of it.
 */
async function sealsOf(
  check: DomainCheck,
  use: PackUse,
  call: StoreCall,
): Promise<ReadonlyMap<number, PackAddress> | undefined> {
  const names = check.moved.leadingTo(use).filter((name) => !check.moved.isRepair(name));
  if (names.length === 0) return undefined;
  const seals = new Map<number, PackAddress>();
  for (const name of names) {
    const forward = await readForward(check, name, call);
    if (forward === undefined) reportForward(check, name);
    for (const { newOffset, sealedIn } of forward?.items ?? []) {
      seals.set(newOffset, { kind: use.kind, ...(sealedIn ?? name.origin) });
    }
  }
  return seals;
}

function reportForward(check: DomainCheck, name: ForwardName): void {
  const pack = { kind: name.kind, ...name.origin };
  if (!check.moved.gone.has(pack)) return;
  const message = "the forward to the items of a pack that was moved can't be read";
  const key = forwardName(check.keys.domain, name);
  check.damage.addPack({ pack, code: "object-damaged", key, message }, 0);
}

/** Checks the two ends of a pack without what lies between them. */
export async function readPackEnds(check: DomainCheck, use: PackUse, call: StoreCall): Promise<void> {
  const name = nameOfPack(check, use);
  try {
    const header = await check.store.read(name, { ...call, range: { offset: 0, length: packHeaderBytes } });
    tryFlaw(check, use, () => checkHeader(use, header, name));
    const tailBytes = Math.min(use.sizeBytes, tailOf(use.items));
    const range = { offset: use.sizeBytes - tailBytes, length: tailBytes };
    const tail = await check.store.read(name, { ...call, range });
    tryFlaw(check, use, () => footerOf(check, use, tail));
  } catch (error) {
    if (!isDamage(error)) throw error;
    check.damage.addFlaw({ pack: use, code: error.code, message: error.message });
  }
}

/** Footer and trailer of a pack of so many items; more than enough. */
function tailOf(items: number): number {
  return items * 54 + 64;
}

function footerOf(check: DomainCheck, use: PackUse, bytes: Uint8Array): readonly FooterEntry[] {
  const name = nameOfPack(check, use);
  const trailerAt = Math.max(0, bytes.length - packTrailerBytes);
  const { footerBytes } = readTrailer(bytes.subarray(trailerAt), name);
  return decodeFooter(check.keys, use, bytes.subarray(Math.max(0, trailerAt - footerBytes), trailerAt));
}

function tryFlaw<Result>(check: DomainCheck, use: PackUse, read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (!isDamage(error)) throw error;
    check.damage.addFlaw({ pack: use, code: error.code, message: error.message });
    return undefined;
  }
}

interface PackItem extends WantedPack {
  readonly sealedIn: PackAddress;
  readonly entry: FooterEntry;
  readonly bytes: Uint8Array;
}

async function openEntry(check: DomainCheck, item: PackItem): Promise<void> {
  const { use, entry } = item;
  const isChunk = entry.kind === itemKinds.chunk;
  const reason = isChunk ? await openChunk(check, item) : openPage(check, item);
  if (reason === undefined) return;
  const what = isChunk ? "block" : "page";
  const message = `the ${what} at byte ${entry.offset} of the pack is damaged (${reason})`;
  check.damage.addItem(
    { pack: use, code: isChunk ? "chunk-damaged" : "page-damaged", message },
    entry.offset,
  );
}

async function openChunk(check: DomainCheck, item: PackItem): Promise<string | undefined> {
  const { sealedIn, entry, bytes } = item;
  const stored = bytes.subarray(entry.offset, entry.offset + entry.length);
  return verifyChunk(check, { ...entry, stored, sealedIn });
}

/** Where a page belongs is not in its pack: it is one of the volumes whose tables mention the pack. */
function openPage(check: DomainCheck, { sealedIn, entry, bytes, places }: PackItem): string | undefined {
  const { kind, id, position, offset, length } = entry;
  const stored = bytes.subarray(offset, offset + length);
  for (const place of places) {
    const aad = pageAad(check.keys, { kind, id, place: { ...place, position } });
    const payload = tryEpochs(check.keys, ({ mapKey }) => openItem(packKey(mapKey, sealedIn), aad, stored));
    if (payload === undefined) continue;
    const plain = unpackPayload(payload, `page at byte ${offset}`);
    return Buffer.compare(pageId(check.keys.idKey, kind, plain), id) === 0 ? undefined : "id";
  }
  return "tag";
}
