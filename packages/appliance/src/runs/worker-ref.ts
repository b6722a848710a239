import type { AwsClients } from "@garrison/aws/aws-clients";
import { roleOf } from "../access/aws-access.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** A worker of a run; the rest is in its record. */
export interface WorkerRef {
  readonly workerId: string;
  /** The lane of the session that this worker writes in. */
  readonly laneId: string;
}

/** Clients of the role that launches workers there and talks with them. */
export function workerClients(dependencies: RunDependencies, place: WorkerPlace): AwsClients {
  return dependencies.access.role(roleOf(place.account, place.role));
}
