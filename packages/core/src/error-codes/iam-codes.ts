import { defineErrorCodes } from "./error-code.ts";

export const iamCodes = defineErrorCodes({
  "iam-policy-invalid": {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "The IAM policy document is not valid",
    help: "Correct the element that the message names; the IAM policy grammar says what it takes.",
  },
  "iam-case-invalid": {
    retryable: false,
    httpStatus: 400,
    exitCode: 2,
    title: "The evaluation case is not valid",
    help: "Correct the key that the message names; `garrison iam evaluate --help` shows the shape of a case.",
  },
});
