import type { VolumeProgress } from "@garrison/repository/backup/backup-plan";
import type { TaskResult, Task } from "@garrison/channel/messages";
import type { LentCredentials } from "./task-credentials.ts";

/** What a running task has besides its orders. */
export interface TaskContext {
  readonly credentials: LentCredentials;
  /** The latest per volume is told to the appliance every few seconds. */
  readonly report: (progress: VolumeProgress) => void;
  readonly signal: AbortSignal;
}

/** Does a task to its end. Resumes by itself what an earlier worker has begun. */
export type RunTask = (task: Task, context: TaskContext) => Promise<TaskResult>;
