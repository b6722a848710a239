import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import type { CliContext } from "@garrison/cli/cli-context";
import { register } from "@garrison/cli/commands/roles";
import { systemClock } from "@garrison/core/clock";
import { errorTable } from "@garrison/core/error-table";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import type { RunningLab } from "@garrison/lab/start-lab";
import { Command } from "commander";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunPlace {
  readonly lab: RunningLab;
  /** Of the account's operator. */
  readonly account: string;
  readonly region: string;
  /** Where AWS's configuration files are. */
  readonly folder: string;
  /** What a person at a terminal types; absent: there is no terminal. */
  readonly typed?: string;
}

/** `garrison roles ...` in this process, as whoever has these keys: a program of its own costs more than what it does. */
export async function runRoles(place: RunPlace, ...words: readonly string[]): Promise<Ran> {
  const { account, folder, lab, region, typed } = place;
  const keys = lab.operators[account]!;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: lab.endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    AWS_CONFIG_FILE: join(folder, "config"),
  });
  let stdout = "";
  let code = 0;
  const output = new Writable({
    write(bytes, _encoding, done) {
      stdout += String(bytes);
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  const stdin = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  stdin.end(typed ?? "");
  const context: CliContext = {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    signal: new AbortController().signal,
    environment: process.env,
    stdout: output,
    stderr: output,
    stdin: stdin as unknown as NodeJS.ReadStream,
    setExitCode: (given) => {
      code = given;
    },
  };
  const program = new Command("garrison").exitOverride();
  register(program, context);
  try {
    await program.parseAsync(["roles", ...words], { from: "user" });
    return { code, stdout, stderr: "" };
  } catch (error) {
    if (!isGarrisonError(error)) throw error;
    return { code: errorTable[error.code].exitCode, stdout, stderr: error.message };
  }
}
