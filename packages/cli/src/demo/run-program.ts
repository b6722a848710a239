import { execFile } from "node:child_process";
import { GarrisonError } from "@garrison/core/garrison-error";

export interface ProgramCall {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/** Runs a system program to its end and returns its standard output. Fails with `program-failed` and what it said. */
export function runProgram(file: string, args: readonly string[], call: ProgramCall): Promise<string> {
  const options = {
    signal: call.signal,
    timeout: call.timeoutMs ?? 120_000,
    maxBuffer: 64 * 1024 * 1024,
  };
  return new Promise((resolve, reject) => {
    execFile(file, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().split("\n")[0] ?? "";
      reject(
        new GarrisonError(
          "program-failed",
          `${file} ${args[0] ?? ""} failed${said === "" ? "" : `: ${said}`}`,
          { cause: error },
        ),
      );
    });
  });
}

/** Mounting a disk image needs root and loop devices; without them disks are read by programs in user space. */
export function canMount(): boolean {
  return process.getuid?.() === 0;
}
