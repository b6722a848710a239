import { forEachConcurrent } from "@garrison/core/map-concurrent";
import type { ChunkAddress } from "../format/page-reference.ts";
import { isDamage } from "../point/is-damage.ts";
import { packOf } from "../repair/lost-items.ts";
import { planRanges, type ChunkRange } from "../restore/chunk-ranges.ts";
import type { ChunkReader } from "../restore/chunk-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";
import { nameOfPack } from "./compare-listing.ts";

/** Opens blocks; those that are damaged go to the damage list. */
export interface ChunkChecker {
  check(addresses: readonly ChunkAddress[], call: StoreCall): Promise<void>;
  readonly counts: { readonly chunks: number; readonly bytes: number };
}

const groupChunks = 32;
const rangesAtOnce = 4;

export function openChunkChecker(check: DomainCheck, chunks: ChunkReader): ChunkChecker {
  const counts = { chunks: 0, bytes: 0 };
  const checkRange = async (range: ChunkRange, call: StoreCall): Promise<void> => {
    const bytes = await fetchRange(range, call);
    if (bytes === undefined) return;
    counts.bytes += bytes.length;
    for (const { address } of range.chunks) {
      counts.chunks++;
      const damage = await chunks.verify({ range, bytes, address }, call);
      if (damage !== undefined) addChunk(check, address, damage);
    }
  };
  /** Bytes that can't be read whole are read one by one, so that only what is really gone is named. */
  const fetchRange = async (range: ChunkRange, call: StoreCall): Promise<Uint8Array | undefined> => {
    try {
      return await chunks.fetch(range, call);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const [first, ...others] = range.chunks;
      if (others.length === 0) addUnread(check, first!.address, error);
      else for (const single of singleRanges(range)) await checkRange(single, call);
      return undefined;
    }
  };
  return {
    counts,
    async check(addresses, call) {
      const sound = addresses.filter((address) => !check.damage.lost.has("pack", address));
      for (let start = 0; start < sound.length; start += groupChunks) {
        const wanted = sound.slice(start, start + groupChunks).map((address) => ({ block: 0, address }));
        const options = { concurrency: rangesAtOnce, signal: call.signal };
        await forEachConcurrent(planRanges(wanted), options, (range) => checkRange(range, call));
      }
    },
  };
}

function singleRanges(range: ChunkRange): readonly ChunkRange[] {
  return range.chunks.map((chunk) => {
    const { offset, length } = chunk.address;
    return { ...range, offset, length, chunks: [chunk] };
  });
}

function addChunk(check: DomainCheck, address: ChunkAddress, reason: string): void {
  const message = `the block at byte ${address.offset} of the pack is damaged (${reason})`;
  check.damage.addItem({ pack: packOf("pack", address), code: "chunk-damaged", message }, address.offset);
}

function addUnread(
  check: DomainCheck,
  address: ChunkAddress,
  error: Error & { readonly code: string },
): void {
  const pack = packOf("pack", address);
  const message = `the block at byte ${address.offset} of ${nameOfPack(check, pack)} can't be read`;
  check.damage.addItem({ pack, code: error.code, message }, address.offset);
}
