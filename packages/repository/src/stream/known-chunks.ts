import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { BackupRun } from "../backup/backup-run.ts";
import type { SessionPlan } from "../backup/backup-plan.ts";
import { isHookId, noHooks, packHooks, type Hook, type PackedHooks } from "../format/hooks.ts";
import type { ChunkAddress, PageReference } from "../format/page-reference.ts";
import type { MarkLeaf } from "../format/session-objects.ts";
import { isDamage } from "../point/is-damage.ts";
import { readLeaf, type VolumePlace } from "../point/page-reader.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { indexHooks } from "./hook-index.ts";
import { StreamTrail, type EarlierLeaves } from "./stream-trail.ts";

export interface KnownChunk {
  readonly address: ChunkAddress;
  /** Whether an earlier lane of this session sealed it, or found it. */
  readonly isResumed: boolean;
  readonly page?: PageReference;
}

/** Where the bytes of a stream may be in the repository already; memory is bounded whatever their number. */
export interface KnownChunks {
  find(id: Uint8Array): Promise<KnownChunk | undefined>;
}

/**
 * Looks among the chunks that this lane stored last, what earlier lanes sealed (a stream can't be read from the middle,
 * so a resumed one is read again and recognised), and the parent's chunks; what is found first is taken. All are asked
 * for each chunk, so that the walks along the earlier streams keep step, whoever knows it.
 */
export async function openKnownChunks(
  run: BackupRun<SessionPlan>,
  place: VolumePlace,
  parent: VolumeReader | undefined,
): Promise<KnownChunks> {
  const { dependencies, resume } = run;
  const sealed = new Map(resume.chunks.map((chunk) => [keyOf(chunk.id), chunk]));
  const resumed = await openResumedTrail(run, place);
  const earlier =
    parent === undefined ? undefined : await StreamTrail.open(dependencies, await leavesOf(run, parent));
  return {
    async find(id) {
      const before = await resumed?.find(id);
      const inParent = await earlier?.find(id);
      const own = run.recent.find(id);
      if (own !== undefined) return { address: own, isResumed: false };
      if (before !== undefined) return { ...before, isResumed: true };
      const uncovered = sealed.get(keyOf(id));
      if (uncovered !== undefined) return { address: uncovered, isResumed: true };
      return inParent === undefined ? undefined : { ...inParent, isResumed: false };
    },
  };
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id).toString("latin1");
}

async function leavesOf(run: BackupRun<SessionPlan>, parent: VolumeReader): Promise<EarlierLeaves> {
  return { ...parent, hooks: indexHooks(await readHooks(run, parent)) };
}

/** Without its hooks a parent is still walked in step. */
async function readHooks(run: BackupRun<SessionPlan>, parent: VolumeReader): Promise<PackedHooks> {
  try {
    return await parent.hooks();
  } catch (error) {
    if (!isDamage(error)) throw error;
    run.dependencies.logger.warn({ error: String(error) }, "the hooks of the parent are not readable");
    return noHooks;
  }
}

/** Leaves that earlier lanes put into marks; their hooks are found by reading each of them once. */
async function openResumedTrail(
  run: BackupRun<SessionPlan>,
  place: VolumePlace,
): Promise<StreamTrail | undefined> {
  const { dependencies, resume, call, concurrency } = run;
  const pages = pagesInOrder(resume.leaves);
  if (pages.length === 0) return undefined;
  const leaf = (number: number) =>
    readLeaf(dependencies, { volume: place, address: pages[number]!, leaf: number }, call);
  const hooks: Hook[] = [];
  const options = { concurrency, signal: call.signal };
  const read = mapConcurrent(pages.keys(), options, (number) => readMarked(leaf(number), number));
  for await (const found of read) hooks.push(...found);
  return StreamTrail.open(dependencies, {
    leafCount: pages.length,
    leaf,
    leafReference: async (number) => pages[number],
    hooks: indexHooks(packHooks(hooks)),
  });
}

/** Each lane began with leaf 0: what several of them put at one place lies side by side, and counts once where it is equal. */
function pagesInOrder(leaves: readonly MarkLeaf[]): readonly PageReference[] {
  const pages = new Map<string, PageReference>();
  for (const { page } of leaves.toSorted((left, right) => left.leaf - right.leaf)) {
    if (page !== undefined) pages.set(keyOf(page.id), page);
  }
  return [...pages.values()];
}

async function readMarked(reading: ReturnType<typeof readLeaf>, number: number): Promise<readonly Hook[]> {
  try {
    const entries = (await reading).filter((entry) => entry !== undefined && isHookId(entry.id));
    return entries.map((entry) => ({ idPrefix: entry!.id.slice(0, 8), leaf: number }));
  } catch (error) {
    if (isDamage(error)) return []; // told when the walk comes by
    throw error;
  }
}
