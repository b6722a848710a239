import { defineErrorCodes } from "./error-code.ts";

export const awsCodes = defineErrorCodes({});
