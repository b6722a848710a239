import { GarrisonError } from "@garrison/core/garrison-error";
import { openBlockCrew } from "../blocks/block-crew.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { leafEntries } from "../format/format-limits.ts";
import { seriesHash } from "../format/object-names.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readImageVolume } from "../point/read-image-volume.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { planRanges, type ChunkRange, type WantedChunk } from "../restore/chunk-ranges.ts";
import {
  openChunkReader,
  rangeName,
  type ChunkReader,
  type ChunkReaderDependencies,
} from "../restore/chunk-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { BlockExport } from "./block-export.ts";

export interface ImageExportPlan {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly volumeId: string;
  /** Threads that open and verify; default one a core (8 at most), 0 does it in the caller's thread. */
  readonly threads?: number;
}

/** 32 MiB of blocks, and the maps of 8 GiB around them. */
const keptBlocks = 64;
const keptLeaves = 32;
/** Blocks read ahead once somebody reads on from where the last read ended. */
const blocksAhead = 8;

/**
 * One volume of a restore point as a read-only disk: any range is read straight from the repository, opened and verified;
 * what was read last is kept, and whoever reads on in order is read ahead of. A damaged block is `chunk-damaged` each time
 * it is read, never wrong bytes.
 */
export async function openImageExport(
  dependencies: Omit<ChunkReaderDependencies, "crew" | "forwards">,
  plan: ImageExportPlan,
  call: StoreCall,
): Promise<BlockExport> {
  const { keys } = dependencies;
  const volume = await readImageVolume(dependencies, plan, call);
  const forwards = openForwardReader(dependencies);
  const owner = { series: seriesHash(keys, plan.series), volume, placesAtOnce: keptLeaves };
  const maps = openVolumeReader({ ...dependencies, forwards }, owner, call);
  const crew = openBlockCrew(keys.idKey, { threads: plan.threads });
  const chunks = openChunkReader({ ...dependencies, forwards, crew });
  const cache = new BlockCache({ maps, chunks, giveBack: (slot) => crew.giveBack(slot), keys });
  return {
    sizeBytes: volume.sizeBytes,
    isWritable: false,
    read: (offset, length, readCall) => cache.read(offset, length, readCall),
    write: () => Promise.reject(new GarrisonError("internal", "a restore point is never written")),
    close: () => crew.close(),
  };
}

interface BlockCacheOptions {
  readonly maps: VolumeReader;
  readonly chunks: ChunkReader;
  readonly keys: ChunkReaderDependencies["keys"];
  readonly giveBack: (slot: Parameters<ReturnType<typeof openBlockCrew>["giveBack"]>[0]) => void;
}

/** Nothing stands for a block of zeros. */
type CachedBlock = Promise<Uint8Array | undefined>;

class BlockCache {
  readonly #options: BlockCacheOptions;
  readonly #blocks = new Map<number, CachedBlock>();
  #nextBlock = -1;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
  }

  async read(offset: number, length: number, call: StoreCall): Promise<Uint8Array> {
    const first = Math.floor(offset / blockSizeBytes);
    const last = Math.floor((offset + Math.max(length, 1) - 1) / blockSizeBytes);
    const blocks = this.#want({ first, last }, call);
    const bytes = new Uint8Array(length);
    for (const [place, block] of blocks.entries()) {
      const plain = await block;
      if (plain === undefined) continue;
      const start = (first + place) * blockSizeBytes - offset;
      const from = Math.max(0, -start);
      bytes.set(plain.subarray(from, Math.min(blockSizeBytes, length - start)), Math.max(0, start));
    }
    return bytes;
  }

  /** Begins to read what isn't at hand, and a little more when this read goes on from the last one. */
  #want(wanted: { readonly first: number; readonly last: number }, call: StoreCall): CachedBlock[] {
    const { first, last } = wanted;
    const isOnward = first === this.#nextBlock || first === this.#nextBlock - 1;
    this.#nextBlock = last + 1;
    const end = isOnward ? last + 1 + blocksAhead : last + 1;
    const missing: number[] = [];
    for (let block = first; block < Math.min(end, this.#count); block++) {
      if (!this.#blocks.has(block)) missing.push(block);
    }
    if (missing.length > 0) this.#begin(missing, call);
    const blocks: CachedBlock[] = [];
    for (let block = first; block <= last; block++) blocks.push(this.#touch(block));
    this.#dropOldest();
    return blocks;
  }

  get #count(): number {
    return Math.ceil(this.#options.maps.volume.sizeBytes / blockSizeBytes);
  }

  #touch(block: number): CachedBlock {
    const cached = this.#blocks.get(block)!;
    this.#blocks.delete(block);
    this.#blocks.set(block, cached);
    return cached;
  }

  #begin(missing: readonly number[], call: StoreCall): void {
    const loaded = this.#load(missing, call);
    for (const block of missing) {
      const cached = loaded.then((found) => found.get(block));
      this.#blocks.set(block, cached);
      // Reported to whoever waits for it; the next one to ask tries again.
      cached.catch(() => {
        if (this.#blocks.get(block) === cached) this.#blocks.delete(block);
      });
    }
  }

  #dropOldest(): void {
    while (this.#blocks.size > keptBlocks) this.#blocks.delete(this.#blocks.keys().next().value!);
  }

  /** Neighbours in a pack come with one read. */
  async #load(missing: readonly number[], call: StoreCall): Promise<ReadonlyMap<number, CachedBlock>> {
    const wanted: WantedChunk[] = [];
    for (const block of missing) {
      const leaf = await this.#options.maps.leaf(Math.floor(block / leafEntries));
      const address = leaf?.[block % leafEntries];
      if (address !== undefined) wanted.push({ block, address });
    }
    const blocks = new Map<number, CachedBlock>();
    for (const range of planRanges(wanted)) {
      const fetched = this.#options.chunks.fetch(range, call);
      fetched.catch(() => undefined); // reported through each block
      for (const chunk of range.chunks) {
        const opened = fetched.then((bytes) => this.#open({ range, bytes, chunk }, call));
        opened.catch(() => undefined);
        blocks.set(chunk.block, opened);
      }
    }
    return blocks;
  }

  async #open(
    fetched: { readonly range: ChunkRange; readonly bytes: Uint8Array; readonly chunk: WantedChunk },
    call: StoreCall,
  ): Promise<Uint8Array> {
    const { range, bytes, chunk } = fetched;
    const { address, block } = chunk;
    const recovered = await this.#options.chunks.recover({ range, bytes, address }, call);
    if ("damage" in recovered) {
      const where = `byte ${address.offset} of ${rangeName(this.#options.keys, address)}`;
      throw new GarrisonError("chunk-damaged", `block ${block} at ${where} is damaged (${recovered.damage})`);
    }
    const plain = new Uint8Array(recovered.slot.plain.subarray(0, blockSizeBytes));
    this.#options.giveBack(recovered.slot);
    return plain;
  }
}
