import { blockSizeBytes } from "../disk/block-source.ts";
import { interiorBlocks, leafEntries } from "../format/format-limits.ts";
import { rangeOfChunk, rangeOfInterior, rangeOfLeaf } from "../point/stream-ranges.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { clipRuns, countBlocks, joinRuns, spansOf, type BlockRun, type ByteSpan } from "./block-runs.ts";

export interface MeasuredLoss {
  /** Bytes of the volume that are lost, ascending. */
  readonly spans: readonly ByteSpan[];
  /** Blocks of an image that are lost; of a stream, as many as its lost bytes would fill. */
  readonly blocks: number;
}

/** How much of a volume lies in runs of its blocks, each of them one entry, or all that a page covers. */
export async function measureLoss(reader: VolumeReader, runs: readonly BlockRun[]): Promise<MeasuredLoss> {
  const { kind, sizeBytes } = reader.volume;
  if (kind !== "stream") {
    const clipped = clipRuns(joinRuns(runs), Math.ceil(sizeBytes / blockSizeBytes));
    return { spans: spansOf(clipped, sizeBytes), blocks: countBlocks(clipped) };
  }
  const spans: ByteSpan[] = [];
  for (const run of [...runs].sort((left, right) => left.first - right.first)) {
    appendSpan(spans, await streamSpan(reader, run));
  }
  const bytes = spans.reduce((total, span) => total + span.length, 0);
  return { spans, blocks: Math.ceil(bytes / blockSizeBytes) };
}

function streamSpan(reader: VolumeReader, { first, count }: BlockRun): Promise<ByteSpan> {
  if (count === interiorBlocks) return rangeOfInterior(reader, first / interiorBlocks);
  if (count === leafEntries) return rangeOfLeaf(reader, first / leafEntries);
  return rangeOfChunk(reader, first);
}

function appendSpan(spans: ByteSpan[], span: ByteSpan): void {
  const last = spans.at(-1);
  if (last === undefined || last.offset + last.length < span.offset) spans.push(span);
  else {
    const end = Math.max(last.offset + last.length, span.offset + span.length);
    spans[spans.length - 1] = { offset: last.offset, length: end - last.offset };
  }
}
