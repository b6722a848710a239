import { defineErrorCodes } from "./error-code.ts";

export const labCodes = defineErrorCodes({
  "lab-folder-in-use": {
    retryable: false,
    httpStatus: 409,
    exitCode: 2,
    title: "Another lab uses this folder",
    help: "Stop the other lab, or give this one a folder of its own with --data.",
  },
  "lab-port-in-use": {
    retryable: false,
    httpStatus: 409,
    exitCode: 2,
    title: "The lab's port is in use",
    help: "Stop what listens there, or choose another with --port (0 takes any free one).",
  },
});
