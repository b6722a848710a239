import { applianceCodes } from "./error-codes/appliance-codes.ts";
import { awsCodes } from "./error-codes/aws-codes.ts";
import { channelCodes } from "./error-codes/channel-codes.ts";
import { cliCodes } from "./error-codes/cli-codes.ts";
import { coreCodes } from "./error-codes/core-codes.ts";
import type { ErrorCode } from "./error-codes/error-code.ts";
import { iamCodes } from "./error-codes/iam-codes.ts";
import { labCodes } from "./error-codes/lab-codes.ts";
import { repositoryCodes } from "./error-codes/repository-codes.ts";
import { rolesCodes } from "./error-codes/roles-codes.ts";
import { workerCodes } from "./error-codes/worker-codes.ts";

const table = {
  ...coreCodes,
  ...iamCodes,
  ...repositoryCodes,
  ...channelCodes,
  ...awsCodes,
  ...rolesCodes,
  ...workerCodes,
  ...applianceCodes,
  ...cliCodes,
  ...labCodes,
} as const;

/** The closed set of error codes; the table is the only place that decides what is retried and what an edge answers. */
export type GarrisonErrorCode = keyof typeof table;

export const errorTable: Readonly<Record<GarrisonErrorCode, ErrorCode>> = Object.freeze(table);
