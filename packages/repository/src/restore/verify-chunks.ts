import { mapConcurrent } from "@garrison/core/map-concurrent";
import { isDamage } from "../point/is-damage.ts";
import type { StoreCall } from "../store/object-store.ts";
import { planRanges, type ChunkRange, type WantedChunk } from "./chunk-ranges.ts";
import type { ChunkReader, FetchedChunk } from "./chunk-reader.ts";

/** A chunk that can't be read, or whose bytes are not what its id says. */
export interface ChunkFailure extends WantedChunk {
  readonly code: string;
  readonly reason: string;
}

export interface VerifiedChunks {
  readonly failures: readonly ChunkFailure[];
  readonly bytesRead: number;
}

const groupChunks = 32;
const rangesAtOnce = 4;

/** Reads chunks, neighbours together, and opens each. Errors that say nothing about the bytes (no access) are thrown. */
export async function verifyChunks(
  chunks: ChunkReader,
  wanted: readonly WantedChunk[],
  call: StoreCall,
): Promise<VerifiedChunks> {
  const failures: ChunkFailure[] = [];
  let bytesRead = 0;
  for (let start = 0; start < wanted.length; start += groupChunks) {
    const ranges = planRanges(wanted.slice(start, start + groupChunks));
    const options = { concurrency: rangesAtOnce, signal: call.signal };
    const results = mapConcurrent(ranges, options, (range) => verifyRange(chunks, range, call));
    for await (const result of results) {
      failures.push(...result.failures);
      bytesRead += result.bytesRead;
    }
  }
  return { failures, bytesRead };
}

async function verifyRange(chunks: ChunkReader, range: ChunkRange, call: StoreCall): Promise<VerifiedChunks> {
  const failures: ChunkFailure[] = [];
  let bytes: Uint8Array;
  try {
    bytes = await chunks.fetch(range, call);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return range.chunks.length === 1
      ? { failures: [{ ...range.chunks[0]!, code: error.code, reason: "can't be read" }], bytesRead: 0 }
      : verifySingly(chunks, range, call);
  }
  for (const chunk of range.chunks) {
    const failure = await verifyOne(chunks, { range, bytes, address: chunk.address }, call);
    if (failure !== undefined) failures.push({ ...chunk, ...failure });
  }
  return { failures, bytesRead: bytes.length };
}

async function verifyOne(
  chunks: ChunkReader,
  chunk: FetchedChunk,
  call: StoreCall,
): Promise<Pick<ChunkFailure, "code" | "reason"> | undefined> {
  try {
    const damage = await chunks.verify(chunk, call);
    return damage === undefined ? undefined : { code: "chunk-damaged", reason: `is damaged (${damage})` };
  } catch (error) {
    // It is damaged, and what may lead to another copy of it is of a newer epoch, or says so.
    if (!isDamage(error)) throw error;
    return {
      code: error.code,
      reason: `is damaged, and so is what may lead to another copy (${error.code})`,
    };
  }
}

/** Bytes that can't be read whole are read one by one, so that only what is really gone is named. */
async function verifySingly(
  chunks: ChunkReader,
  range: ChunkRange,
  call: StoreCall,
): Promise<VerifiedChunks> {
  const failures: ChunkFailure[] = [];
  let bytesRead = 0;
  for (const chunk of range.chunks) {
    const { offset, length } = chunk.address;
    const single = await verifyRange(chunks, { ...range, offset, length, chunks: [chunk] }, call);
    failures.push(...single.failures);
    bytesRead += single.bytesRead;
  }
  return { failures, bytesRead };
}
