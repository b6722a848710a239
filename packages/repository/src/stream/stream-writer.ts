import { emptyCounts } from "../backup/volume-counts.ts";
import { createHash, hash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { SessionPlan, VolumeSummary } from "../backup/backup-plan.ts";
import type { BackupRun } from "../backup/backup-run.ts";
import type { VolumeMap } from "../backup/volume-map.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import type { PreparedBlock } from "../blocks/block-work.ts";
import { itemKinds, leafEntries, maxLeaves, maxVolumeBytes } from "../format/format-limits.ts";
import { chunkAad, chunkId } from "../format/item-identity.ts";
import { emptyLeaf } from "../format/leaf-page.ts";
import { withPlainBytes, type ChunkAddress, type PageReference } from "../format/page-reference.ts";
import type { KnownChunk, KnownChunks } from "./known-chunks.ts";

export interface StreamWriterOptions {
  readonly run: BackupRun<SessionPlan>;
  readonly map: VolumeMap;
  readonly known: KnownChunks;
  readonly volumeId: string;
}

/** A chunk that is in the repository already, or one that has to be stored. */
type SeenChunk =
  | { readonly plainBytes: number; readonly known: KnownChunk }
  | { readonly plainBytes: number; readonly slot: BlockSlot; readonly sha256: Uint8Array };
type NewChunk = { readonly plainBytes: number; readonly slot: BlockSlot; readonly prepared: PreparedChunk };
type DecidedChunk = { readonly plainBytes: number; readonly known: KnownChunk } | NewChunk;
type PreparedChunk = Required<PreparedBlock>;

/** A leaf ends early at a chunk like this, so that leaves too are found again behind an insertion. */
const leastLeafChunks = 128;
const endsLeaf = (id: Uint8Array) => id[0] === 0;

const chunksPerProgress = 16;
const volumeNumber = 0;

/** Settles the chunks of one stream in order into packs and leaves; new ones are compressed several at a time. */
export class StreamWriter {
  readonly #options: StreamWriterOptions;
  readonly #digest = createHash("sha256");
  readonly #counts = emptyCounts();
  #leafNumber = 0;
  #leaf: ChunkAddress[] = [];
  #twin: PageReference | undefined;

  constructor(options: StreamWriterOptions) {
    this.#options = options;
  }

  summary(): VolumeSummary {
    return { volumeId: this.#options.volumeId, coverage: "full", ...this.#counts };
  }

  /** Takes chunks that are valid until the next one is asked for; answers what the whole stream was. */
  async write(
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
    const { run } = this.#options;
    const options = { concurrency: run.concurrency, signal: run.call.signal };
    const decided = mapConcurrent(this.#look(chunks), options, (chunk) => this.#prepare(chunk));
    for await (const chunk of decided) {
      await this.#settle(chunk);
      if (this.#counts.blocksListed % chunksPerProgress === 0) this.#report();
    }
    await this.#closeLeaf();
    this.#report();
    return { sizeBytes: this.#counts.bytesRead, sha256: this.#digest.digest("hex") };
  }

  async *#look(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SeenChunk> {
    const { run, known } = this.#options;
    for await (const view of chunks) {
      this.#digest.update(view);
      const sha256 = hash("sha256", view, "buffer");
      const plainBytes = view.length;
      const found = await known.find(chunkId(run.dependencies.keys.idKey, sha256));
      if (found !== undefined) {
        yield { plainBytes, known: found };
        continue;
      }
      const slot = run.crew.borrow(plainBytes);
      slot.plain.set(view);
      yield { plainBytes, sha256, slot };
    }
  }

  async #prepare(chunk: SeenChunk): Promise<DecidedChunk> {
    if ("known" in chunk) return chunk;
    const { slot, sha256, plainBytes } = chunk;
    const { id, payload } = await this.#options.run.crew.prepare(slot, { plainBytes, sha256 });
    return { plainBytes, slot, prepared: { id, payload: payload! } };
  }

  async #settle(chunk: DecidedChunk): Promise<void> {
    const counts = this.#counts;
    counts.blocksListed++;
    counts.blocksRead++;
    counts.bytesRead += chunk.plainBytes;
    if (counts.bytesRead > maxVolumeBytes || this.#leafNumber >= maxLeaves) throw this.#tooLong();
    const address = await this.#addressOf(chunk);
    this.#leaf.push(address);
    const isFull = this.#leaf.length === leafEntries;
    if (isFull || (this.#leaf.length >= leastLeafChunks && endsLeaf(address.id))) await this.#closeLeaf();
  }

  #tooLong(): GarrisonError {
    const { volumeId } = this.#options;
    const reason = `${volumeId} has more than ${maxVolumeBytes} bytes, or ${maxLeaves} leaves`;
    return new GarrisonError("source-invalid", `the stream is too long for one restore point: ${reason}`);
  }

  async #addressOf(chunk: DecidedChunk): Promise<ChunkAddress> {
    const counts = this.#counts;
    if ("known" in chunk) {
      if (chunk.known.isResumed) counts.blocksResumed++;
      else counts.blocksReused++;
      this.#twin ??= chunk.known.page;
      return chunk.known.address;
    }
    // It may have been stored while this one was on its way.
    const { run } = this.#options;
    const { id } = chunk.prepared;
    const recent = run.recent.find(id);
    const address = recent ?? (await this.#store(chunk));
    run.crew.giveBack(chunk.slot);
    if (recent !== undefined) counts.blocksReused++;
    else run.recent.add(address);
    return address;
  }

  async #store({ prepared, plainBytes, slot }: NewChunk): Promise<ChunkAddress> {
    const { run } = this.#options;
    const { payload } = prepared;
    const { codec } = payload;
    const id = new Uint8Array(prepared.id);
    const bytes = (codec === 0 ? slot.plain : slot.packed).subarray(0, payload.sizeBytes);
    const aad = chunkAad(run.dependencies.keys, { id, plainBytes, codec });
    const position = this.#leafNumber * leafEntries + this.#leaf.length;
    const item = { kind: itemKinds.chunk, codec, volume: volumeNumber, position, plainBytes, id };
    const place = await run.packs.append(item, bytes, aad);
    this.#counts.blocksStored++;
    this.#counts.bytesStored += place.length;
    const { sessionId: session, laneId: lane } = run.session;
    return withPlainBytes({ id, codec, session, lane, ...place }, plainBytes);
  }

  async #closeLeaf(): Promise<void> {
    if (this.#leaf.length === 0) return;
    const { run, map } = this.#options;
    const leaf = this.#leafNumber++;
    const entries = [...this.#leaf, ...emptyLeaf().slice(this.#leaf.length)];
    const page = await map.putLeaf(leaf, entries, this.#twin);
    this.#leaf = [];
    this.#twin = undefined;
    await run.addLeaf({ volume: volumeNumber, leaf, page });
  }

  #report(): void {
    const { bytesRead, bytesStored, blocksListed } = this.#counts;
    const { volumeId, run } = this.#options;
    run.dependencies.onProgress?.({ volumeId, blocksDone: blocksListed, bytesRead, bytesStored });
  }
}
