import { defineErrorCodes } from "./error-code.ts";

export const cliCodes = defineErrorCodes({
  "appliance-unreachable": {
    retryable: true,
    httpStatus: 502,
    exitCode: 1,
    title: "The appliance does not answer",
    help: "Start it with `garrison serve`, or set GARRISON_URL to where it listens.",
  },
  "connection-unknown": {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "It is not known which appliance to ask",
    help: "Set GARRISON_URL and GARRISON_TOKEN, or name the appliance's folder with --data.",
  },
  "terminal-refused": {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "A terminal is no place for a stream",
    help: "Pipe the stream in or out, redirect it, or name a program after `--` (backup) or a file with --target (restore).",
  },
  "output-closed": {
    retryable: false,
    httpStatus: 499,
    exitCode: 1,
    title: "Whoever read the output stopped reading",
    help: "The stream was not written to its end. See why the reading program ended.",
  },
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
