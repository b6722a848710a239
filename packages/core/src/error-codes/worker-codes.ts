import { defineErrorCodes } from "./error-code.ts";

export const workerCodes = defineErrorCodes({});
