import { defineErrorCodes } from "./error-code.ts";

export const coreCodes = defineErrorCodes({
  usage: {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "The input is wrong",
    help: "Correct the named part and try again.",
  },
  aborted: {
    retryable: false,
    httpStatus: 499,
    exitCode: 1,
    title: "Stopped",
    help: "The operation was stopped before it ended; start it again.",
  },
  "deadline-exceeded": {
    retryable: true,
    httpStatus: 504,
    exitCode: 1,
    title: "A wait took too long",
    help: "See which step waited; the run can be started again and goes on where it was.",
  },
  internal: {
    retryable: false,
    httpStatus: 500,
    exitCode: 1,
    title: "A defect in Garrison",
    help: "Please report it with the log.",
  },
});
