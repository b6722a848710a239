import { GarrisonError } from "@garrison/core/garrison-error";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BlockPacks } from "./block-packs.ts";
import { captureVolume } from "./capture-volume.ts";
import { PendingSnapshot } from "./pending-snapshot.ts";
import {
  blockAt,
  buildSnapshotIndex,
  decodeSnapshotIndex,
  encodeSnapshotIndex,
  findBlock,
  listBlocks,
  type IndexedBlock,
  type SnapshotHeader,
  type SnapshotIndex,
} from "./snapshot-index.ts";

export interface StoredBlock {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

/**
 * Snapshots on disk: `indexes/<snapshot>` says which blocks it has, `packs/<snapshot>` holds those it was the first to
 * have, `pending/<snapshot>` logs one that is being written. An index appears only when everything it names is there.
 */
export class SnapshotStore {
  readonly packs: BlockPacks;
  readonly #folder: string;
  readonly #indexes = new Map<string, SnapshotIndex>();
  readonly #pending = new Map<string, PendingSnapshot>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.packs = new BlockPacks(join(folder, "packs"));
  }

  /** Opens the folder as a kill may have left it: uploads under way go on, half-made snapshots are gone. */
  static async open(folder: string): Promise<SnapshotStore> {
    const store = new SnapshotStore(folder);
    await mkdir(join(folder, "indexes"), { recursive: true });
    await mkdir(join(folder, "pending"), { recursive: true });
    for (const name of await readdir(join(folder, "indexes"))) await store.#loadIndex(name);
    for (const name of await readdir(join(folder, "pending"))) await store.#loadPending(name);
    await store.packs.sweep();
    return store;
  }

  /** All that are kept, finished or not. */
  ids(): string[] {
    return [...this.#indexes.keys(), ...this.#pending.keys()];
  }

  has(snapshotId: string): boolean {
    return this.#indexes.has(snapshotId);
  }

  index(snapshotId: string): SnapshotIndex {
    const index = this.#indexes.get(snapshotId);
    if (index === undefined)
      throw new GarrisonError("internal", `the lab has no blocks of snapshot ${snapshotId}`);
    return index;
  }

  /** Makes a snapshot of the volume file as it is now. */
  async capture(header: SnapshotHeader, volumePath: string, signal: AbortSignal): Promise<SnapshotIndex> {
    const owner = header.snapshotId;
    try {
      const entries = await captureVolume(this.packs, { path: volumePath, owner }, signal);
      return await this.#publish(buildSnapshotIndex(header, entries));
    } catch (error) {
      await this.packs.release(owner);
      throw error;
    }
  }

  /** A snapshot with given blocks at once: seeds, and copies of another snapshot. */
  async create(
    header: SnapshotHeader,
    blocks: Iterable<StoredBlock & { readonly block: number }>,
  ): Promise<SnapshotIndex> {
    const entries: IndexedBlock[] = [];
    for (const { block, bytes, digest } of blocks) {
      entries.push({ block, place: await this.#keep(header.snapshotId, { bytes, digest }), digest });
    }
    return await this.#publish(buildSnapshotIndex(header, entries));
  }

  async copy(header: SnapshotHeader, sourceId: string): Promise<SnapshotIndex> {
    const source = this.index(sourceId);
    for (const pack of source.packs) this.packs.pin(pack, header.snapshotId);
    return await this.#publish(buildSnapshotIndex(header, [...listBlocks(source)]));
  }

  /** The block's bytes (in `buffer` when one is given) and digest, or nothing where the snapshot has a hole. */
  async read(snapshotId: string, block: number, buffer?: Buffer): Promise<StoredBlock | undefined> {
    const index = this.index(snapshotId);
    const position = findBlock(index, block);
    if (position === undefined) return undefined;
    const { place, digest } = blockAt(index, position);
    return { bytes: await this.packs.readAtOnce(place, buffer), digest };
  }

  async begin(snapshotId: string): Promise<void> {
    this.#pending.set(snapshotId, await PendingSnapshot.create(join(this.#folder, "pending", snapshotId)));
  }

  /** Accepts a block of a snapshot that was begun; the same block again replaces it. */
  async put(snapshotId: string, block: number, content: StoredBlock): Promise<void> {
    const pending = this.#pendingOf(snapshotId);
    await pending.put({ block, place: await this.#keep(snapshotId, content), digest: content.digest });
  }

  /** How many different blocks were put. */
  pendingCount(snapshotId: string): number {
    return this.#pendingOf(snapshotId).size;
  }

  /** SHA-256 over the digests of the blocks put, in order of block: CompleteSnapshot's LINEAR checksum. */
  pendingDigest(snapshotId: string): Buffer {
    const hash = createHash("sha256");
    for (const { digest } of this.#pendingOf(snapshotId).list()) hash.update(digest);
    return hash.digest();
  }

  /** Turns what was begun into a snapshot: the parent's blocks with those that were put on top. */
  async complete(header: SnapshotHeader, parentId: string | undefined): Promise<SnapshotIndex> {
    const pending = this.#pendingOf(header.snapshotId);
    const merged = new Map<number, IndexedBlock>();
    if (parentId !== undefined) {
      const parent = this.index(parentId);
      for (const pack of parent.packs) this.packs.pin(pack, header.snapshotId);
      for (const entry of listBlocks(parent)) merged.set(entry.block, entry);
    }
    for (const entry of pending.list()) merged.set(entry.block, entry);
    const entries = [...merged.values()].sort((a, b) => a.block - b.block);
    const index = await this.#publish(buildSnapshotIndex(header, entries));
    this.#pending.delete(header.snapshotId);
    await pending.remove();
    return index;
  }

  /** Deletes a snapshot, finished or not; a no-op for one that isn't there. */
  async delete(snapshotId: string): Promise<void> {
    this.#indexes.delete(snapshotId);
    await rm(join(this.#folder, "indexes", snapshotId), { force: true });
    const pending = this.#pending.get(snapshotId);
    this.#pending.delete(snapshotId);
    await pending?.remove();
    await this.packs.release(snapshotId);
  }

  async close(): Promise<void> {
    for (const pending of this.#pending.values()) await pending.close();
    await this.packs.close();
  }

  async #keep(owner: string, { bytes, digest }: StoredBlock): Promise<IndexedBlock["place"]> {
    return this.packs.locate(digest, owner) ?? (await this.packs.append(owner, bytes, digest));
  }

  #pendingOf(snapshotId: string): PendingSnapshot {
    const pending = this.#pending.get(snapshotId);
    if (pending === undefined)
      throw new GarrisonError("internal", `snapshot ${snapshotId} isn't being written`);
    return pending;
  }

  async #publish(index: SnapshotIndex): Promise<SnapshotIndex> {
    const path = join(this.#folder, "indexes", index.snapshotId);
    // Beside the folder, so that a crash leaves nothing that looks like an index.
    const fresh = join(this.#folder, `${index.snapshotId}.new`);
    await writeFile(fresh, encodeSnapshotIndex(index));
    await rename(fresh, path);
    this.packs.adopt(index);
    this.#indexes.set(index.snapshotId, index);
    return index;
  }

  async #loadIndex(name: string): Promise<void> {
    const index = decodeSnapshotIndex(await readFile(join(this.#folder, "indexes", name)));
    this.packs.adopt(index);
    this.#indexes.set(name, index);
  }

  async #loadPending(name: string): Promise<void> {
    const path = join(this.#folder, "pending", name);
    // Killed between publishing the index and removing the log: the snapshot is complete.
    if (this.#indexes.has(name)) return await rm(path, { force: true });
    const pending = await PendingSnapshot.recover(path);
    this.packs.pin(name, name);
    for (const { place } of pending.list()) this.packs.pin(place.pack, name);
    this.#pending.set(name, pending);
  }
}
