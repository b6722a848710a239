import { defineErrorCodes } from "./error-code.ts";

export const iamCodes = defineErrorCodes({});
