import { defineErrorCodes } from "./error-code.ts";

export const cliCodes = defineErrorCodes({});
