import { readPoint } from "@garrison/repository/point/read-point";
import { readPointRecord } from "../store/points.ts";
import { readRepositoryRecord } from "../store/repositories.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";

/** A restore point with what it says of the instance, read from the repository. User data is left out: it may be secret. */
export async function showPoint(dependencies: AppDependencies, id: string, call: AppCall) {
  const point = await readPointRecord(dependencies.queries, id);
  const record = await readRepositoryRecord(dependencies.queries, point.repositoryId);
  const { store, repository } = await dependencies.repositories.open(record, call);
  const keys = repository.domainKeys(point.accountId);
  const dataKey = (epoch: number) => repository.sessionDataKey(point.accountId, id, epoch);
  const address = { series: point.resource, sessionId: id };
  const { description = {} } = await readPoint({ store, keys, dataKey }, address, call);
  return { ...point, description: withoutUserData(description) };
}

function withoutUserData(description: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const recipe = description["recipe"];
  if (typeof recipe !== "object" || recipe === null) return { ...description };
  const { userData, ...rest } = recipe as Readonly<Record<string, unknown>>;
  return { ...description, recipe: { ...rest, hasUserData: userData !== undefined } };
}
