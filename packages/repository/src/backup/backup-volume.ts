import { emptyCounts } from "./volume-counts.ts";
import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { VolumeSummary } from "./backup-plan.ts";
import type { BackupRun } from "./backup-run.ts";
import { blockSizeBytes, type BlockReference, type BlockSource } from "../disk/block-source.ts";
import type { PreparedBlock } from "../blocks/block-work.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import { itemKinds, leafEntries } from "../format/format-limits.ts";
import { chunkAad } from "../format/item-identity.ts";
import { emptyLeaf, type Leaf, type MutableLeaf } from "../format/leaf-page.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import { readLeaf } from "../point/page-reader.ts";
import { listWithLost } from "./list-with-lost.ts";
import { openParentReader } from "./parent-reader.ts";
import { openSoundParent, type SoundParent } from "./sound-parent.ts";
import { findOrPrepare } from "../similarity/find-or-prepare.ts";
import { SimilarBlocks } from "../similarity/similar-blocks.ts";
import { VolumeMap, type FinishedMap } from "./volume-map.ts";
import { openVolumeReader } from "../point/volume-reader.ts";

export interface VolumeResult {
  readonly summary: VolumeSummary;
  readonly map: FinishedMap;
  readonly parent: SoundParent | undefined;
}

/** What is known about a block once it has been looked at. */
type DecidedBlock = { readonly index: number; readonly bytesRead: number } & (
  | { readonly outcome: "zero" }
  | { readonly outcome: "held" | "resumed"; readonly address: ChunkAddress }
  | { readonly outcome: "new"; readonly slot: BlockSlot; readonly prepared: Required<PreparedBlock> }
);

type NewBlock = Extract<DecidedBlock, { readonly outcome: "new" }>;

const zeroBlock = Buffer.alloc(blockSizeBytes);
const blocksPerProgress = 64;

/**
 * Backs up one volume of a session: takes over what earlier lanes sealed, then looks at each listed block, several at a
 * time, and settles them in order into packs and leaves.
 */
export async function backupVolume(run: BackupRun, number: number): Promise<VolumeResult> {
  const volume = run.plan.volumes[number]!;
  const place = { series: run.session.series, volumeId: volume.volumeId };
  const parent = await openParent(run, volume.volumeId);
  const { coverage } = volume.source;
  const map = await VolumeMap.open({
    number,
    place,
    pages: run.pages,
    coverage,
    ...(parent === undefined ? {} : { parent }),
  });
  const isRead = run.resume.frontier.volume <= number;
  const similar = isRead ? await openSimilar(run, volume.source) : undefined;
  const writer = new VolumeWriter({ run, number, map, parent, similar });
  await writer.takeOver();
  if (isRead) await writer.readSource();
  return { summary: writer.summary(), map: await map.finish(), parent };
}

/** An incremental compares with its parent; what is read in full may be held by others too. */
async function openSimilar(run: BackupRun, source: BlockSource): Promise<SimilarBlocks | undefined> {
  if (source.coverage !== "full") return undefined;
  const lookAlikes = await run.openLookAlikes();
  return lookAlikes === undefined ? undefined : new SimilarBlocks(lookAlikes, source.sizeBytes, run.lost);
}

async function openParent(run: BackupRun, volumeId: string): Promise<SoundParent | undefined> {
  const { series, parent } = run.session;
  const volume = parent?.volumes.find((each) => each.volumeId === volumeId);
  if (volume === undefined) return undefined;
  const owner = { series, volume, placesAtOnce: run.concurrency };
  const reader = openVolumeReader(run.dependencies, owner, run.call);
  return openParentReader(await openSoundParent(reader, run.lost, run.call));
}

interface VolumeWriterOptions {
  readonly run: BackupRun;
  readonly number: number;
  readonly map: VolumeMap;
  readonly parent: SoundParent | undefined;
  readonly similar: SimilarBlocks | undefined;
}

class VolumeWriter {
  readonly #options: VolumeWriterOptions;
  readonly #counts = emptyCounts();
  #open: { readonly number: number; readonly leaf: MutableLeaf } | undefined;

  constructor(options: VolumeWriterOptions) {
    this.#options = options;
  }

  summary(): VolumeSummary {
    const { volumeId, source } = this.#volume;
    return { volumeId, coverage: source.coverage, ...this.#counts };
  }

  /** Puts the leaves of earlier lanes into the map, in their order. */
  async takeOver(): Promise<void> {
    const { run, number, map } = this.#options;
    const leaves = run.resume.leaves.filter((leaf) => leaf.volume === number);
    const options = { concurrency: run.concurrency, signal: run.call.signal };
    const loaded = mapConcurrent(leaves, options, async (leaf) => ({
      number: leaf.leaf,
      page: leaf.page,
      leaf: leaf.page === undefined ? emptyLeaf() : await this.#loadLeaf(leaf.leaf, leaf.page),
    }));
    for await (const taken of loaded) {
      await map.adoptLeaf(taken.number, taken);
      this.#countResumed(taken.leaf);
    }
  }

  async readSource(): Promise<void> {
    const { run, number, parent } = this.#options;
    const { frontier } = run.resume;
    const fromBlock = frontier.volume === number ? frontier.leaf * leafEntries : 0;
    const listCall = { signal: run.call.signal, fromBlock };
    const listed = listWithLost(this.#volume.source, parent?.lostBlocks ?? [], listCall);
    const options = { concurrency: run.concurrency, signal: run.call.signal };
    const decided = mapConcurrent(this.#inOrder(listed, fromBlock), options, (block) => this.#decide(block));
    for await (const block of decided) {
      await this.#settle(block);
      if (this.#counts.blocksListed % blocksPerProgress === 0) this.#report();
    }
    await this.#closeLeaf();
    this.#report();
  }

  get #volume() {
    return this.#options.run.plan.volumes[this.#options.number]!;
  }

  #loadLeaf(leaf: number, address: Parameters<typeof readLeaf>[1]["address"]): Promise<Leaf> {
    const { run } = this.#options;
    const volume = { series: run.session.series, volumeId: this.#volume.volumeId };
    return readLeaf(run.dependencies, { volume, address, leaf }, run.call);
  }

  #countResumed(leaf: Leaf): void {
    const own = leaf.filter((entry) => entry?.session === this.#options.run.session.sessionId).length;
    this.#counts.blocksListed += own;
    this.#counts.blocksResumed += own;
  }

  /** A list that repeats, jumps back or leaves the volume would make a wrong map: it is refused. */
  async *#inOrder(listed: AsyncIterable<BlockReference>, fromBlock: number): AsyncGenerator<BlockReference> {
    const { source, volumeId } = this.#volume;
    const blocks = Math.ceil(source.sizeBytes / blockSizeBytes);
    let next = fromBlock;
    for await (const reference of listed) {
      if (!Number.isInteger(reference.index) || reference.index < next || reference.index >= blocks) {
        const reason = `block ${reference.index} is listed after block ${next - 1} of ${blocks}`;
        throw new GarrisonError("source-invalid", `the block list of ${volumeId} is out of order: ${reason}`);
      }
      next = reference.index + 1;
      yield reference;
    }
  }

  async #decide(reference: BlockReference): Promise<DecidedBlock> {
    const { run, number, parent, similar } = this.#options;
    const { index } = reference;
    if (reference.isZero === true) return { index, bytesRead: 0, outcome: "zero" };
    const resumed = run.resume.find(number, index);
    if (resumed !== undefined) return { index, bytesRead: 0, outcome: "resumed", address: resumed };
    const approached = similar?.approach(index);
    const leaf = await parent?.leaf(Math.floor(index / leafEntries));
    const before = leaf?.[index % leafEntries];
    const slot = run.crew.borrow();
    const { sha256 } = await this.#volume.source.read(reference, slot.plain, run.call);
    const bytesRead = blockSizeBytes;
    if (zeroBlock.equals(slot.plain)) {
      run.crew.giveBack(slot);
      return { index, bytesRead, outcome: "zero" };
    }
    await approached;
    const found = await findOrPrepare({ crew: run.crew, similar }, slot, { index, sha256, before });
    if ("prepared" in found) return { index, bytesRead, outcome: "new", slot, ...found };
    run.crew.giveBack(slot);
    return { index, bytesRead, outcome: "held", ...found };
  }

  async #settle(block: DecidedBlock): Promise<void> {
    const number = Math.floor(block.index / leafEntries);
    if (this.#open?.number !== number) {
      await this.#closeLeaf();
      this.#open = { number, leaf: await this.#beginLeaf(number) };
    }
    const counts = this.#counts;
    counts.blocksListed++;
    counts.bytesRead += block.bytesRead;
    if (block.bytesRead > 0) counts.blocksRead++;
    if (block.outcome === "held") counts.blocksReused++;
    if (block.outcome === "resumed") counts.blocksResumed++;
    this.#open!.leaf[block.index % leafEntries] = await this.#addressOf(block);
  }

  async #addressOf(block: DecidedBlock): Promise<ChunkAddress | undefined> {
    if (block.outcome === "zero") return undefined;
    if (block.outcome !== "new") return block.address;
    const { run } = this.#options;
    const recent = run.recent.find(block.prepared.id);
    const address = recent ?? (await this.#store(block));
    run.crew.giveBack(block.slot);
    if (recent !== undefined) this.#counts.blocksReused++;
    else run.recent.add(address);
    return address;
  }

  async #store({ index, slot, prepared }: NewBlock): Promise<ChunkAddress> {
    const { run, number } = this.#options;
    const { payload } = prepared;
    const { codec } = payload;
    // A copy of its own: what a thread sends has a buffer for itself, which is ten times as large as the id.
    const id = new Uint8Array(prepared.id);
    const bytes = (codec === 0 ? slot.plain : slot.packed).subarray(0, payload.sizeBytes);
    const aad = chunkAad(run.dependencies.keys, { id, plainBytes: blockSizeBytes, codec });
    const item = {
      kind: itemKinds.chunk,
      codec,
      volume: number,
      position: index,
      plainBytes: blockSizeBytes,
      id,
    };
    const place = await run.packs.append(item, bytes, aad);
    this.#counts.blocksStored++;
    this.#counts.bytesStored += place.length;
    return { id, codec, session: run.session.sessionId, lane: run.session.laneId, ...place };
  }

  /** Blocks that are not listed are zero in a full read, and as in the parent otherwise. */
  async #beginLeaf(number: number): Promise<MutableLeaf> {
    const { parent } = this.#options;
    const before = this.#volume.source.coverage === "changes" ? await parent?.leaf(number) : undefined;
    return before === undefined ? emptyLeaf() : [...before];
  }

  async #closeLeaf(): Promise<void> {
    const { run, number, map } = this.#options;
    if (this.#open === undefined) return;
    const { number: leaf, leaf: entries } = this.#open;
    this.#open = undefined;
    const page = await map.putLeaf(leaf, entries);
    await run.addLeaf({ volume: number, leaf, page });
  }

  #report(): void {
    const { bytesRead, bytesStored, blocksListed } = this.#counts;
    const { volumeId } = this.#volume;
    this.#options.run.dependencies.onProgress?.({
      volumeId,
      blocksDone: blocksListed,
      bytesRead,
      bytesStored,
    });
  }
}
