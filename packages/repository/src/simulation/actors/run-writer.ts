import { backupVolumes } from "../../backup/backup-volumes.ts";
import { newLaneId } from "../../point/session-id.ts";
import { openDiskSource, type DiskState } from "../world/simulated-disk.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { Violation } from "../world/violation.ts";
import { equip, type Stage } from "./stage.ts";

/** What one session is to back up: frozen, so that every lane of it finds the same. */
export interface BackupJob {
  readonly series: string;
  readonly sessionId: string;
  readonly parent?: string;
  readonly coverage: "full" | "changes";
  readonly concurrency: number;
  readonly slowRate: number;
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly identity: string;
    readonly state: DiskState;
    readonly parentState?: DiskState;
  }[];
}

/** One lane of a session. */
export async function runWriter(stage: Stage, job: BackupJob, process: SimulatedProcess): Promise<void> {
  const { domain, contents, openCrew, limits, logger } = stage;
  const { store, repository, keys } = await equip(stage, process);
  const { random, clock, signal } = process;
  const { sessionId, series, parent, concurrency } = job;
  const dependencies = { store, clock, random, logger, keys, openCrew };
  const volumes = job.volumes.map(({ volumeId, state, parentState, ...volume }) => ({
    volumeId,
    source: openDiskSource({
      ...volume,
      process,
      contents,
      state,
      slowRate: job.slowRate,
      ...(job.coverage === "changes" && parentState !== undefined ? { parent: parentState } : {}),
    }),
  }));
  const summary = await backupVolumes(
    dependencies,
    {
      grant: {
        sessionId,
        laneId: newLaneId(random),
        epoch: repository.epoch,
        dataKey: repository.sessionDataKey(domain, sessionId, repository.epoch),
      },
      series,
      concurrency,
      threads: 0,
      limits,
      volumes,
      description: { job: process.name },
      ...(parent === undefined ? {} : { parent }),
    },
    { signal },
  );
  const isCommitted = stage.model.held.points.has(summary.point);
  if (!isCommitted && !stage.model.held.tombstones.has(summary.point)) {
    throw new Violation(4, `${summary.point} was said to be committed and is not`);
  }
}
