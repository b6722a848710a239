import { defineErrorCodes } from "./error-code.ts";

export const cliCodes = defineErrorCodes({
  "program-failed": {
    retryable: false,
    httpStatus: 500,
    exitCode: 1,
    title: "A system program failed",
    help: "See what the program said; a missing package or a full disk is the usual reason.",
  },
  "demo-mismatch": {
    retryable: false,
    httpStatus: 500,
    exitCode: 1,
    title: "What was restored differs from what was backed up",
    help: "This must never happen: please report it, with the data folder kept.",
  },
});
