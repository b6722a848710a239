import { defineErrorCodes } from "./error-code.ts";

export const channelCodes = defineErrorCodes({});
