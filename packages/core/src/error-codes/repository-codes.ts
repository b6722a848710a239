import { defineErrorCodes } from "./error-code.ts";

export const repositoryCodes = defineErrorCodes({});
