import type { Logger } from "@garrison/core/logger";
import type { SessionBases } from "../backup/session-bases.ts";
import type { PointRecord, RecordVolume } from "../format/point-record.ts";
import type { SessionBase } from "../format/session-objects.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { PageReaderDependencies } from "../point/page-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { listCandidates } from "./list-candidates.ts";
import { loadHooks, type CandidateVolume, type HookTable } from "./load-hooks.ts";
import { PageWindow, type FoundBlock, type PagedVolume } from "./page-window.ts";
import { passOver } from "./pass-over.ts";

export interface LookAlikeOptions {
  readonly sessionId: string;
  /** The keyed hash of the session's series. */
  readonly series: string;
  /** Its parent, and points that the plan names. */
  readonly named: readonly SessionBase[];
  readonly bases: SessionBases;
}

type Dependencies = PageReaderDependencies & { readonly logger: Logger };

/** Leaves that may be read before any of the session's own has been begun; then two for each that is begun. */
const firstPages = 256;
const pagesPerLeaf = 2;

/**
 * Restore points that hold the same blocks as what a session reads. A leaf may be read at any time, but a block of it is
 * only given out once its point has become a base of the session. A point whose handshake or pages fail is passed over
 * from then on.
 */
export class LookAlikes {
  readonly #dependencies: Dependencies;
  readonly #bases: SessionBases;
  readonly #call: StoreCall;
  readonly #hooks: HookTable;
  readonly #held = new Map<string, Promise<PointRecord | undefined>>();
  readonly #volumes = new Map<string, Promise<PagedVolume | undefined>>();
  readonly #passedOver = new Set<PagedVolume>();
  readonly pages: PageWindow;
  #pagesAllowed = firstPages;

  constructor(
    dependencies: Dependencies,
    known: { readonly hooks: HookTable; readonly bases: SessionBases },
    call: StoreCall,
  ) {
    this.#dependencies = dependencies;
    this.#bases = known.bases;
    this.#hooks = known.hooks;
    this.#call = call;
    this.pages = new PageWindow(dependencies, call);
  }

  /** Tables by which a thread can tell that a block is worth a question before it is compressed. */
  get known(): readonly SharedArrayBuffer[] {
    return [this.pages.table.memory, this.#hooks.table.memory];
  }

  /** A leaf of the session has been begun. */
  allowPages(): void {
    this.#pagesAllowed += pagesPerLeaf;
  }

  /** Reads a leaf at the same place in the volumes of the best candidates: a clone is recognised by its first block. */
  async loadBest(leaf: number): Promise<void> {
    for (const { point, volumeId, record } of this.#hooks.best) {
      const volume = await this.#openVolume({ point, volumeId }, async () => record);
      if (volume !== undefined) await this.load(volume, leaf);
    }
  }

  /** By the leaves that are at hand, then by the hooks: the leaf that a hook stands for is read. */
  async find(id: Uint8Array): Promise<FoundBlock | undefined> {
    const found = this.pages.find(id) ?? (await this.#findByHook(id));
    if (found === undefined) return undefined;
    return (await this.#hold(found.volume.point)) === undefined ? undefined : found;
  }

  /** Reads a leaf, unless the session has read enough for what it has seen. */
  async load(volume: PagedVolume, leaf: number): Promise<void> {
    if (this.#passedOver.has(volume)) return;
    if (!this.pages.isLoaded(volume, leaf) && this.pages.pagesRead >= this.#pagesAllowed) return;
    const owner = { ...this.#dependencies, point: volume.point.session };
    const isRead = await passOver(owner, () => this.pages.load(volume, leaf).then(() => true));
    if (isRead === undefined) this.#passedOver.add(volume);
  }

  async #findByHook(id: Uint8Array): Promise<FoundBlock | undefined> {
    const hook = this.#hooks.find(id);
    if (hook === undefined) return undefined;
    const volume = await this.#openVolume(hook.volume, async () => {
      const record = await this.#hold(hook.volume.point);
      return record?.volumes.find((each) => each.volumeId === hook.volume.volumeId);
    });
    if (volume === undefined) return undefined;
    await this.load(volume, hook.leaf);
    return this.pages.find(id);
  }

  #openVolume(
    { point, volumeId }: CandidateVolume,
    read: () => Promise<RecordVolume | undefined>,
  ): Promise<PagedVolume | undefined> {
    const key = `${point.session}/${volumeId}`;
    const known = this.#volumes.get(key);
    if (known !== undefined) return known;
    const opened = read().then((volume) =>
      volume === undefined
        ? undefined
        : {
            point,
            reader: openVolumeReader(this.#dependencies, { series: point.series, volume }, this.#call),
          },
    );
    this.#volumes.set(key, opened);
    return opened;
  }

  /** Makes a point a base, once; nothing when it can't be one. */
  #hold(point: SessionBase): Promise<PointRecord | undefined> {
    const key = `${point.series}/${point.session}`;
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const owner = { ...this.#dependencies, point: point.session };
    const held = passOver(owner, () => this.#bases.add(point));
    this.#held.set(key, held);
    return held;
  }
}

/** Samples the domain for a session that reads in full. Nothing when no point of it holds anything. */
export async function openLookAlikes(
  dependencies: Dependencies,
  options: LookAlikeOptions,
  call: StoreCall,
): Promise<LookAlikes | undefined> {
  const candidates = await listCandidates(dependencies, options, call);
  const hooks = await loadHooks(dependencies, candidates, call);
  return hooks === undefined
    ? undefined
    : new LookAlikes(dependencies, { hooks, bases: options.bases }, call);
}
