import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import type { AwsAccess } from "../access/aws-access.ts";
import type { RepositoryAccess } from "../access/repository-access.ts";
import type { Queries } from "../store/database/open-database.ts";
import type { SecretBox } from "../secrets/secret-box.ts";

export interface WorkerBundleFile {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/** How long a run is patient, and how often it asks. */
export interface RunLimits {
  readonly snapshotMs: number;
  readonly workerStartMs: number;
  readonly bootstrapMs: number;
  /** A worker that has said nothing for so long is taken for lost. */
  readonly workerSilenceMs: number;
  /** A worker ends by itself after this time. */
  readonly workerLifeMs: number;
  /** Workers that a run may use up. */
  readonly maxWorkers: number;
  /** Pause between two looks at what AWS is doing: the first, growing to the longest. */
  readonly pollFirstMs: number;
  readonly pollLongestMs: number;
}

export const defaultRunLimits: RunLimits = {
  snapshotMs: 24 * 3_600_000,
  workerStartMs: 10 * 60_000,
  bootstrapMs: 5 * 60_000,
  workerSilenceMs: 3 * 60_000,
  workerLifeMs: 24 * 3_600_000,
  maxWorkers: 4,
  pollFirstMs: 250,
  pollLongestMs: 10_000,
};

/** What every run works with. */
export interface RunDependencies {
  readonly queries: Queries;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly access: AwsAccess;
  readonly repositories: RepositoryAccess;
  readonly limits: RunLimits;
  readonly region: string;
  readonly installation: string;
  /** The program that workers run; without it no run that needs a worker can start. */
  readonly bundle?: WorkerBundleFile;
}
