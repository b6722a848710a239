import type { Task, TaskResult } from "@garrison/channel/messages";
import type { TaskDependencies } from "../open-task-resources.ts";
import type { RunTask, TaskContext } from "../task-context.ts";
import { runImageBackup } from "./image-backup.ts";
import { runImageRestore } from "./image-restore.ts";
import { runSelfTest } from "./self-test.ts";

/** Every task that a worker knows, by its verb. */
export function taskRunner(dependencies: TaskDependencies): RunTask {
  return (task: Task, context: TaskContext): Promise<TaskResult> => {
    switch (task.verb) {
      case "image-backup":
        return runImageBackup(dependencies, task, context);
      case "image-restore":
        return runImageRestore(dependencies, task, context);
      case "self-test":
        return runSelfTest(dependencies, task, context);
    }
  };
}
