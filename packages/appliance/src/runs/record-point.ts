import type { Account } from "@garrison/api/schemas/accounts";
import type { Point } from "@garrison/api/schemas/points";
import { deleteSnapshot } from "@garrison/aws/ec2/instance-snapshots";
import { GarrisonError } from "@garrison/core/garrison-error";
import { readPoint } from "@garrison/repository/point/read-point";
import { roleOf } from "../access/aws-access.ts";
import { keepMade, listRecorded, recordRemoved } from "../store/made-resources.ts";
import { forgetSnapshots, listPointRecords, recordPoint } from "../store/points.ts";
import type { StoredRepository } from "../store/repositories.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";

export type NewPoint = Omit<Point, "createdAt" | "repositoryId"> & { readonly repository: StoredRepository };

/** Reads the point back from the repository, compares, and only then counts it. Its snapshots become the next base. */
export async function recordNewPoint(
  dependencies: RunDependencies,
  point: NewPoint,
  step: StepScope,
): Promise<void> {
  const { queries } = dependencies;
  const { repository, ...rest } = point;
  const opened = await dependencies.repositories.open(repository, step);
  const keys = opened.repository.domainKeys(point.accountId);
  const dataKey = (epoch: number) => opened.repository.sessionDataKey(point.accountId, point.id, epoch);
  const address = { series: point.resource, sessionId: point.id };
  const read = await readPoint({ store: opened.store, keys, dataKey }, address, step);
  const missing = point.volumes.filter(
    ({ volumeId, sizeBytes }) =>
      !read.volumes.some((volume) => volume.volumeId === volumeId && volume.sizeBytes === sizeBytes),
  );
  if (missing.length > 0 || read.description === undefined) {
    throw new GarrisonError(
      "worker-task-failed",
      `restore point ${point.id} does not hold ${missing.map(({ volumeId }) => volumeId).join(", ") || "its description"}`,
    );
  }
  const createdAt = new Date(read.createdAtMs);
  await recordPoint(queries, { ...rest, repositoryId: repository.id, createdAt });
  const snapshotIds = point.volumes.flatMap(({ snapshotId }) => snapshotId ?? []);
  await keepMade(queries, snapshotIds, "base");
  await step.log(
    `restore point ${point.id} of ${point.volumes.length} volumes is in the repository`,
    point.resource,
  );
}

/** Deletes the snapshots that the resource's earlier points in this repository were read from: the newest are the base. */
export async function dropFormerBases(
  dependencies: RunDependencies,
  wanted: {
    readonly account: Account;
    readonly repositoryId: string;
    readonly resource: string;
    readonly pointId: string;
  },
  step: StepScope,
): Promise<void> {
  const { queries, access, clock } = dependencies;
  const clients = access.role(roleOf(wanted.account, "backup"));
  const recorded = await listRecorded(queries);
  const { resource, repositoryId } = wanted;
  const page = await listPointRecords(queries, { resource, repositoryId, limit: 500 });
  for (const point of page.items.filter(({ id }) => id < wanted.pointId)) {
    const ids = point.volumes.flatMap(({ snapshotId }) => snapshotId ?? []);
    for (const made of recorded.filter(({ resourceId }) => ids.includes(resourceId ?? ""))) {
      await deleteSnapshot(clients, made.resourceId ?? "", step);
      await recordRemoved(queries, made.id, new Date(clock.now()));
      await step.log("removed the former base", made.resourceId);
    }
    if (ids.length > 0) await forgetSnapshots(queries, point.id);
  }
}
