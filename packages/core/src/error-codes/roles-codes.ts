import { defineErrorCodes } from "./error-code.ts";

export const rolesCodes = defineErrorCodes({});
