import { readSync } from "node:fs";
import { mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { blockBytes, zeroBlockDigest } from "./disk-blocks.ts";
import { listBlocks, type BlockPlace, type SnapshotIndex } from "./snapshot-index.ts";

const openFilesLimit = 128;
const zeroPlace: BlockPlace = { pack: "", slot: 0 };

/**
 * The bytes of all snapshots, each different block once. A snapshot's new blocks are appended to a pack of its own; what
 * an older snapshot already has is only referred to. A pack lives as long as one owner (a snapshot, or a volume that
 * is being filled) refers to it.
 */
export class BlockPacks {
  readonly #folder: string;
  readonly #places = new Map<string, BlockPlace>();
  readonly #digestsOf = new Map<string, string[]>();
  readonly #ownersOf = new Map<string, Set<string>>();
  readonly #nextSlot = new Map<string, number>();
  readonly #files = new Map<string, Promise<FileHandle>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Counts an index's references in, so that its blocks are found and kept. */
  adopt(index: SnapshotIndex): void {
    for (const pack of index.packs) this.pin(pack, index.snapshotId);
    for (const { place, digest } of listBlocks(index)) this.#remember(place, digest);
  }

  pin(pack: string, owner: string): void {
    if (pack === "") return;
    const owners = this.#ownersOf.get(pack);
    if (owners === undefined) this.#ownersOf.set(pack, new Set([owner]));
    else owners.add(owner);
  }

  /** The place of a block with these contents, kept for `owner` from now on. */
  locate(digest: Uint8Array, owner: string): BlockPlace | undefined {
    if (zeroBlockDigest.equals(digest)) return zeroPlace;
    const place = this.#places.get(keyOf(digest));
    if (place !== undefined) this.pin(place.pack, owner);
    return place;
  }

  /** Stores a block in `owner`'s pack. The kernel has the bytes when the promise resolves. */
  async append(owner: string, bytes: Uint8Array, digest: Uint8Array): Promise<BlockPlace> {
    const file = await this.#file(owner);
    const slot = this.#nextSlot.get(owner) ?? Math.ceil((await file.stat()).size / blockBytes);
    // Another append may have begun during the look at the file.
    const free = Math.max(slot, this.#nextSlot.get(owner) ?? 0);
    this.#nextSlot.set(owner, free + 1);
    this.pin(owner, owner);
    await file.write(bytes, 0, blockBytes, free * blockBytes);
    const place = { pack: owner, slot: free };
    this.#remember(place, digest);
    return place;
  }

  /** The block's bytes, in `buffer` when one is given. */
  async read(place: BlockPlace, buffer?: Buffer): Promise<Buffer> {
    const bytes = buffer ?? Buffer.allocUnsafeSlow(blockBytes);
    if (place.pack === "") return bytes.fill(0);
    const file = await this.#file(place.pack);
    await file.read(bytes, 0, blockBytes, place.slot * blockBytes);
    return bytes;
  }

  /**
   * Like `read`, without leaving this thread: what is read in answer to a call was mostly written a moment ago, and
   * waking another thread costs more than the kernel's copy.
   */
  async readAtOnce(place: BlockPlace, buffer?: Buffer): Promise<Buffer> {
    const bytes = buffer ?? Buffer.allocUnsafeSlow(blockBytes);
    if (place.pack === "") return bytes.fill(0);
    const file = await this.#file(place.pack);
    readSync(file.fd, bytes, 0, blockBytes, place.slot * blockBytes);
    return bytes;
  }

  /** Drops all of an owner's references; packs nobody refers to are deleted. */
  async release(owner: string): Promise<void> {
    for (const [pack, owners] of this.#ownersOf) {
      if (owners.delete(owner) && owners.size === 0) await this.#remove(pack);
    }
  }

  /** Deletes packs that no index refers to: what a crash left of a snapshot that never came to be. */
  async sweep(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const name of await readdir(this.#folder)) {
      if (!this.#ownersOf.has(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    for (const file of files) await (await file).close();
  }

  #remember(place: BlockPlace, digest: Uint8Array): void {
    const key = keyOf(digest);
    if (place.pack === "" || this.#places.has(key)) return;
    this.#places.set(key, place);
    const digests = this.#digestsOf.get(place.pack);
    if (digests === undefined) this.#digestsOf.set(place.pack, [key]);
    else digests.push(key);
  }

  async #remove(pack: string): Promise<void> {
    this.#ownersOf.delete(pack);
    this.#nextSlot.delete(pack);
    for (const key of this.#digestsOf.get(pack) ?? []) this.#places.delete(key);
    this.#digestsOf.delete(pack);
    const file = this.#files.get(pack);
    this.#files.delete(pack);
    await rm(join(this.#folder, pack), { force: true });
    await (await file)?.close();
  }

  #file(pack: string): Promise<FileHandle> {
    const opened = this.#files.get(pack) ?? openForUpdate(join(this.#folder, pack));
    // Last used is last in the map.
    this.#files.delete(pack);
    this.#files.set(pack, opened);
    if (this.#files.size > openFilesLimit) void this.#closeOldest();
    return opened;
  }

  async #closeOldest(): Promise<void> {
    const [pack, file] = this.#files.entries().next().value!;
    this.#files.delete(pack);
    // Waits for the reads and writes under way.
    await (await file).close();
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString("latin1");
}

async function openForUpdate(path: string): Promise<FileHandle> {
  return await open(path, "r+").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return await open(path, "wx+");
  });
}
