import { errorTable, type GarrisonErrorCode } from "@garrison/core/error-table";
import { GarrisonError } from "@garrison/core/garrison-error";

export interface EndedProgram {
  readonly name: string;
  readonly logFile: string;
  /** The end of its standard error. */
  readonly said: string;
  readonly code: unknown;
}

/** Why a program of ours ended: the named error of its last line when there is one, so that its help is shown too. */
export function failureOfProgram({ name, logFile, said, code }: EndedProgram): GarrisonError {
  const last = said.trimEnd().split("\n").at(-1) ?? "";
  const [, given = "", message = ""] = /^[a-z ]+: ([a-z0-9-]+): (.+)$/.exec(last) ?? [];
  if (Object.hasOwn(errorTable, given)) return new GarrisonError(given as GarrisonErrorCode, message);
  return new GarrisonError(
    "program-failed",
    `the ${name} ended with ${String(code)} before it was ready; see ${logFile}`,
  );
}
