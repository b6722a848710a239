import { defineErrorCodes } from "./error-code.ts";

export const applianceCodes = defineErrorCodes({});
