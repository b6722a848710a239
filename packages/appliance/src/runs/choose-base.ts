import { readSnapshots } from "@garrison/aws/ec2/instance-snapshots";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { readPoint } from "@garrison/repository/point/read-point";
import type { OpenedRepository } from "../access/repository-access.ts";
import { listPointRecords } from "../store/points.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";

/** What a backup builds on. Without snapshots everything is read, but what the parent holds is not stored again. */
export interface BackupBase {
  readonly parent: string;
  readonly runId: string;
  /** Volume id -> the parent's snapshot of it, where that still exists. */
  readonly snapshots: Readonly<Record<string, string>>;
}

/** What reading a point says when it is gone or damaged; anything else (no access, no answer) is the run's failure. */
const unusable = [
  "point-missing",
  "point-ended",
  "object-damaged",
  "object-malformed",
  "object-truncated",
] as const;

/** The newest point of the resource that is still in the repository, with those of its snapshots that still exist. */
export async function chooseBase(
  dependencies: RunDependencies,
  wanted: {
    readonly opened: OpenedRepository;
    readonly clients: AwsClients;
    readonly resource: string;
    readonly domain: string;
  },
  step: StepScope,
): Promise<BackupBase | null> {
  const { opened, resource } = wanted;
  const page = await listPointRecords(dependencies.queries, {
    resource,
    repositoryId: opened.record.id,
    limit: 1,
  });
  const [newest] = page.items;
  if (newest === undefined) {
    await step.log("no restore point yet: every allocated block is read");
    return null;
  }
  const keys = opened.repository.domainKeys(wanted.domain);
  const address = { series: resource, sessionId: newest.id };
  try {
    await readPoint({ store: opened.store, keys }, address, step);
  } catch (error) {
    if (!isGarrisonError(error) || !unusable.some((code) => code === error.code)) throw error;
    await step.log(
      `restore point ${newest.id} can't be built on (${error.code}): every allocated block is read`,
    );
    return null;
  }
  const known = newest.volumes.flatMap(({ volumeId, snapshotId }) =>
    snapshotId === undefined ? [] : [{ volumeId, snapshotId }],
  );
  const states = await readSnapshots(
    wanted.clients,
    known.map(({ snapshotId }) => snapshotId),
    step,
  );
  const usable = new Set(
    states.filter(({ state }) => state === "completed").map(({ snapshotId }) => snapshotId),
  );
  const kept = known.filter(({ snapshotId }) => usable.has(snapshotId));
  await step.log(
    kept.length === known.length && kept.length > 0
      ? `reading what changed since restore point ${newest.id}`
      : `the base snapshots of restore point ${newest.id} are not all there: reading in full what has none`,
  );
  return {
    parent: newest.id,
    runId: newest.runId,
    snapshots: Object.fromEntries(kept.map(({ volumeId, snapshotId }) => [volumeId, snapshotId])),
  };
}
