import { defineErrorCodes } from "./error-code.ts";

export const rolesCodes = defineErrorCodes({
  "role-unknown": {
    retryable: false,
    httpStatus: 404,
    exitCode: 2,
    title: "No such role in the catalogue",
    help: "`garrison roles list` names them.",
  },
  "operation-unknown": {
    retryable: false,
    httpStatus: 404,
    exitCode: 2,
    title: "No such operation in the catalogue",
    help: "`garrison roles list` names the operations that each role serves.",
  },
  "release-unknown": {
    retryable: false,
    httpStatus: 404,
    exitCode: 2,
    title: "No catalogue is known of this version",
    help: "Name two released versions, or `HEAD` for the version that is running.",
  },
  "role-document-too-large": {
    retryable: false,
    httpStatus: 400,
    exitCode: 1,
    title: "An IAM document exceeds AWS's limit",
    help: "Name fewer Regions, roles or accounts, or write a role for each.",
  },
  "role-chain-broken": {
    retryable: false,
    httpStatus: 409,
    exitCode: 1,
    title: "The role chain is broken",
    help: "`garrison roles check` shows each link, the statement that is missing or denies, and the smallest change that mends it.",
  },
  "role-changed": {
    retryable: false,
    httpStatus: 409,
    exitCode: 1,
    title: "The role was changed by somebody else",
    help: "Look at the difference again and repeat the command.",
  },
  "role-changed-since-repair": {
    retryable: false,
    httpStatus: 409,
    exitCode: 1,
    title: "The role was changed after the repair that is to be undone",
    help: "Look at what changed; `garrison roles undo FILE --force` puts back what the repair had changed all the same.",
  },
  "role-missing": {
    retryable: false,
    httpStatus: 404,
    exitCode: 1,
    title: "The role does not exist",
    help: "`garrison roles create` makes it, with the credentials of its account.",
  },
  "undo-file-invalid": {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "Not an undo file of a role's repair",
    help: "Give a file that `garrison roles repair` wrote, unchanged.",
  },
  "repair-interrupted": {
    retryable: false,
    httpStatus: 502,
    exitCode: 1,
    title: "A repair of a role ended half-way",
    help: "The undo file that the message names takes back what was done; `garrison roles repair`, given again, does the rest.",
  },
});
