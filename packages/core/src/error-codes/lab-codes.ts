import { defineErrorCodes } from "./error-code.ts";

export const labCodes = defineErrorCodes({});
