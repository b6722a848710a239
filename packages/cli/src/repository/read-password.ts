import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

export interface PasswordFlags {
  readonly passwordFile?: string;
}

/**
 * The repository password: GARRISON_PASSWORD, then the file (its first line), then a prompt that shows nothing. Never an
 * argument: arguments are visible to everyone on the machine.
 */
export async function readPassword(
  flags: PasswordFlags,
  context: CliContext,
  options: { readonly isNew?: boolean } = {},
): Promise<string> {
  const given = await readGiven(flags, context);
  const password = given ?? (await promptFor("Repository password: ", context));
  if (password === "") throw new GarrisonError("usage", "the repository password is empty");
  if (given === undefined && options.isNew === true) {
    const again = await promptFor("The same again: ", context);
    if (again !== password) throw new GarrisonError("usage", "the two passwords differ");
  }
  return password;
}

async function readGiven(flags: PasswordFlags, context: CliContext): Promise<string | undefined> {
  const inEnvironment = context.environment["GARRISON_PASSWORD"];
  if (flags.passwordFile === undefined) return inEnvironment;
  try {
    return (await readFile(flags.passwordFile, "utf8")).split(/\r?\n/, 1)[0]!;
  } catch (cause) {
    throw new GarrisonError("usage", `the password file ${flags.passwordFile} can't be read`, { cause });
  }
}

async function promptFor(question: string, context: CliContext): Promise<string> {
  const { stdin, stderr } = context;
  if (stdin.isTTY !== true) {
    throw new GarrisonError("usage", "no repository password: set GARRISON_PASSWORD or use --password-file");
  }
  stderr.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: true });
  try {
    return await lines.question("", { signal: context.signal });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}
