import { isGarrisonError } from "@garrison/core/garrison-error";
import type { BackupDependencies, BackupSummary, SessionPlan } from "../backup/backup-plan.ts";
import type { BackupRun } from "../backup/backup-run.ts";
import type { ReadVolume } from "../backup/commit-session.ts";
import { runSession } from "../backup/run-session.ts";
import { VolumeMap } from "../backup/volume-map.ts";
import { openSoundParent, type SoundParent } from "../backup/sound-parent.ts";
import { isDamage } from "../point/is-damage.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { defaultCutSizes } from "./cut-sizes.ts";
import { cutStream } from "./cut-stream.ts";
import { deriveCutTable } from "./cut-table.ts";
import { openKnownChunks } from "./known-chunks.ts";
import { defaultStreamId, type StreamPlan } from "./stream-plan.ts";
import { StreamWriter } from "./stream-writer.ts";

/**
 * Makes one restore point of a stream, which is read once, from its beginning to its end, and never in full held in
 * memory. Only what the parent, and what was stored of this session before, doesn't hold is stored. The point is made
 * when the stream has ended well: one that throws leaves none.
 *
 * The same session with another lane resumes: the stream is read again from its beginning, as a producer can't go on in
 * the middle, and what is sealed is recognised and not stored again, also when the stream has changed meanwhile.
 */
export function backupStream(
  dependencies: BackupDependencies,
  plan: StreamPlan,
  call: StoreCall,
): Promise<BackupSummary> {
  const { streamId: volumeId = defaultStreamId, identity, ...rest } = plan;
  const source = { sizeBytes: 0, identity, coverage: "full" } as const;
  const volumes = [{ volumeId, kind: "stream", source } as const];
  const read = (run: BackupRun<SessionPlan>) => readStream(run, plan, volumeId);
  return runSession<SessionPlan>(dependencies, { plan: { ...rest, volumes }, read }, call);
}

async function readStream(
  run: BackupRun<SessionPlan>,
  plan: StreamPlan,
  volumeId: string,
): Promise<readonly ReadVolume[]> {
  const { dependencies, call } = run;
  const place = { series: run.session.series, volumeId, kind: "stream" } as const;
  const parent = await openParent(run, volumeId);
  const shared = parent === undefined ? {} : { parent };
  const map = await VolumeMap.open({ number: 0, place, pages: run.pages, coverage: "full", ...shared });
  const known = await openKnownChunks(run, place, parent);
  const table = deriveCutTable(dependencies.keys.idKey);
  const chunks = cutStream(plan.input, { table, sizes: plan.cutSizes ?? defaultCutSizes }, call);
  const writer = new StreamWriter({ run, map, known, volumeId });
  const stream = await writer.write(chunks);
  return [{ summary: writer.summary(), map: await map.finish(), parent, stream }];
}

/**
 * The stream of that name in the parent point, without what is known to be lost of it: that is stored again. Its table is
 * read now, since it is needed at the end, when it would be too late to store things anew: a stream can't be read twice.
 */
async function openParent(run: BackupRun<SessionPlan>, volumeId: string): Promise<SoundParent | undefined> {
  const { series, parent } = run.session;
  const volume = parent?.volumes.find((each) => each.volumeId === volumeId && each.kind === "stream");
  if (volume === undefined) return undefined;
  const reader = openVolumeReader(run.dependencies, { series, volume }, run.call);
  try {
    const sound = await openSoundParent(reader, run.lost, run.call);
    const table = await sound.table();
    return { ...sound, table: async () => table };
  } catch (error) {
    if (!isDamage(error) && !isGarrisonError(error, "parent-unusable")) throw error;
    const about = { parent: parent!.session, error: String(error) };
    run.dependencies.logger.warn(about, "the parent's pack table is not readable: everything is stored anew");
    return undefined;
  }
}
