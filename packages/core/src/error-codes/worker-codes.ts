import { defineErrorCodes } from "./error-code.ts";

export const workerCodes = defineErrorCodes({
  "worker-config-invalid": {
    retryable: false,
    httpStatus: 500,
    exitCode: 2,
    title: "The worker's configuration can't be read",
    help: "The bootstrap writes it; start the run again so that a new worker is launched.",
  },
  "worker-queues-missing": {
    retryable: true,
    httpStatus: 502,
    exitCode: 1,
    title: "The worker can't find its queues",
    help: "They are gone, or the worker role lacks sqs:ListQueues: run `garrison roles check` for its role.",
  },
  "task-busy": {
    retryable: true,
    httpStatus: 503,
    exitCode: 1,
    title: "The worker has too many tasks waiting",
    help: "Give the task to another worker.",
  },
  "task-credentials-late": {
    retryable: true,
    httpStatus: 504,
    exitCode: 1,
    title: "New credentials for a task did not come in time",
    help: "The appliance was down or could not assume the role; the run goes on with another worker.",
  },
  "bundle-build-failed": {
    retryable: false,
    httpStatus: 500,
    exitCode: 1,
    title: "The worker's bundle can't be built",
    help: "See the cause; `npm ci` brings the tools and the Node binary that it needs.",
  },
});
