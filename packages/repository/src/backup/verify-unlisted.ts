import { GarrisonError } from "@garrison/core/garrison-error";
import { openVolumeReader } from "../point/volume-reader.ts";
import { formatSpans, spansOf } from "../repair/block-runs.ts";
import { compareWithSource } from "../verify/compare-with-source.ts";
import { sampleBlocks, type SampledBlock } from "../verify/sample-blocks.ts";
import type { BackupRun } from "./backup-run.ts";
import type { VolumeResult } from "./backup-volume.ts";

/**
 * After an incremental, before it is committed: compares a sample of the blocks that were taken over from the parent, since
 * no list named them, with the source. Throws `changed-list-lied` when one differs; the session can't be trusted then, and
 * the source has to be read in full.
 *
 * Of `verifySample` blocks half are drawn from those that hold something and half from the whole volume. When a share `h`
 * of the held blocks and `a` of all blocks should have been listed and were not, that is found with a probability of at
 * least `1 - (1 - h)^(n/2) * (1 - a)^(n/2)`. At most `verifySample` blocks are read.
 */
export async function verifyUnlisted(
  run: BackupRun,
  finished: { readonly number: number; readonly result: VolumeResult },
): Promise<void> {
  const { number, result } = finished;
  const { source, volumeId } = run.plan.volumes[number]!;
  const wanted = run.plan.verifySample ?? 0;
  if (wanted === 0 || source.coverage === "full") return;
  await run.flush();
  const { sizeBytes, identity } = source;
  const { root, blocksHeld } = result.map;
  const volume = { ...result.summary, sizeBytes, identity, blocksHeld, root, tables: [], hooks: [] };
  const reader = openVolumeReader(run.dependencies, { series: run.session.series, volume }, run.call);
  const half = Math.ceil(wanted / 2);
  const sample = { held: half, anywhere: wanted - half, random: run.dependencies.random };
  const blocks = takenOver(sampleBlocks(reader, sample), run.session.sessionId);
  const { differing } = await compareWithSource(run.dependencies.keys, { source, blocks }, run.call);
  if (differing.length === 0) return;
  const ranges = spansOf(differing, sizeBytes);
  throw new GarrisonError(
    "changed-list-lied",
    `${identity} differs from the parent restore point in bytes ${formatSpans(ranges)} of ${volumeId}, which its list of changes does not name`,
    { details: { volumeId, ranges } },
  );
}

/** What this session has stored was read from the source just now. */
async function* takenOver(
  blocks: AsyncIterable<SampledBlock>,
  session: string,
): AsyncGenerator<SampledBlock> {
  for await (const block of blocks) if (block.address?.session !== session) yield block;
}
