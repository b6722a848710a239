import type { Logger } from "@garrison/core/logger";
import type { SessionBases } from "../backup/session-bases.ts";
import type { SessionBase } from "../format/session-objects.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { PageReaderDependencies } from "../point/page-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { listCandidates } from "./list-candidates.ts";
import { loadHooks, type CandidateVolume, type HookTable } from "./load-hooks.ts";
import { PageWindow, type BaseVolume, type FoundBlock } from "./page-window.ts";
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

/** Leaves that may be read before any of the session's own has been begun; then one for each that is begun. */
const firstPages = 256;

/**
 * Restore points that hold the same blocks as what a session reads, found by their hooks. The first hook of a point that
 * is met makes the point a base; a point whose handshake or pages fail is passed over from then on.
 */
export class LookAlikes {
  readonly #dependencies: Dependencies;
  readonly #bases: SessionBases;
  readonly #call: StoreCall;
  readonly #hooks: HookTable;
  readonly #volumes = new Map<string, Promise<BaseVolume | undefined>>();
  readonly #passedOver = new Set<BaseVolume>();
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

  allowPage(): void {
    this.#pagesAllowed++;
  }

  /** By the leaves that are at hand, then by the hooks: the leaf that a hook stands for is read. */
  async find(id: Uint8Array): Promise<FoundBlock | undefined> {
    const found = this.pages.find(id);
    if (found !== undefined) return found;
    const hook = this.#hooks.find(id);
    const volume = hook === undefined ? undefined : await this.#baseVolume(hook.volume);
    if (hook === undefined || volume === undefined) return undefined;
    await this.load(volume, hook.leaf);
    return this.pages.find(id);
  }

  /** Reads a leaf of a base, unless the session has read enough for what it has seen. */
  async load(volume: BaseVolume, leaf: number): Promise<void> {
    if (this.#passedOver.has(volume)) return;
    if (!this.pages.isLoaded(volume, leaf) && this.pages.pagesRead >= this.#pagesAllowed) return;
    const owner = { ...this.#dependencies, point: volume.point };
    const isRead = await passOver(owner, () => this.pages.load(volume, leaf).then(() => true));
    if (isRead === undefined) this.#passedOver.add(volume);
  }

  /** The volume as a base's: its point becomes one when its first hook is met. */
  #baseVolume({ point, volumeId }: CandidateVolume): Promise<BaseVolume | undefined> {
    const key = `${point.session}/${volumeId}`;
    const known = this.#volumes.get(key);
    if (known !== undefined) return known;
    const opened = this.#openBase({ point, volumeId });
    this.#volumes.set(key, opened);
    return opened;
  }

  async #openBase({ point, volumeId }: CandidateVolume): Promise<BaseVolume | undefined> {
    const owner = { ...this.#dependencies, point: point.session };
    const record = await passOver(owner, () => this.#bases.add(point));
    const volume = record?.volumes.find((each) => each.volumeId === volumeId);
    if (volume === undefined) return undefined;
    const reader = openVolumeReader(this.#dependencies, { series: point.series, volume }, this.#call);
    return { point: point.session, reader };
  }
}

/** Samples the domain for a session that reads in full. Nothing when there is no point with hooks. */
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
