import { KiB, MiB } from "@garrison/core/units";
import type { ChunkAddress } from "../format/page-reference.ts";

/** A chunk wanted at a block of a volume. */
export interface WantedChunk {
  readonly block: number;
  readonly address: ChunkAddress;
}

/** One read: neighbours in a pack, fetched together. */
export interface ChunkRange {
  readonly session: string;
  readonly lane: string;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly chunks: readonly WantedChunk[];
}

/** Reading over a gap of this size costs less than another request. */
const maxGapBytes = 64 * KiB;
const maxRangeBytes = 16 * MiB;

/** Groups chunks into reads; a chunk wanted at several blocks is read once. */
export function planRanges(chunks: readonly WantedChunk[]): readonly ChunkRange[] {
  const ranges: (ChunkRange & { length: number; readonly chunks: WantedChunk[] })[] = [];
  for (const wanted of [...chunks].sort(compareAddresses)) {
    const { session, lane, pack, offset, length } = wanted.address;
    const last = ranges.at(-1);
    const isSamePack =
      last !== undefined && last.session === session && last.lane === lane && last.pack === pack;
    const end = offset + length;
    if (
      isSamePack &&
      offset - (last.offset + last.length) <= maxGapBytes &&
      end - last.offset <= maxRangeBytes
    ) {
      last.length = Math.max(last.length, end - last.offset);
      last.chunks.push(wanted);
    } else {
      ranges.push({ session, lane, pack, offset, length, chunks: [wanted] });
    }
  }
  return ranges;
}

function compareAddresses(left: WantedChunk, right: WantedChunk): number {
  const [a, b] = [left.address, right.address];
  if (a.session !== b.session) return a.session < b.session ? -1 : 1;
  if (a.lane !== b.lane) return a.lane < b.lane ? -1 : 1;
  return a.pack - b.pack || a.offset - b.offset;
}
