import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

export interface PasswordFlags {
  readonly passwordFile?: string;
}

interface PasswordKind {
  /** Its variable in the environment, and the option that names a file. */
  readonly variable: string;
  readonly option: string;
  readonly question: string;
}

const atHand: PasswordKind = {
  variable: "GARRISON_PASSWORD",
  option: "--password-file",
  question: "Repository password: ",
};
const toCome: PasswordKind = {
  variable: "GARRISON_NEW_PASSWORD",
  option: "--new-password-file",
  question: "New repository password: ",
};

/** The password that a repository is going to be opened with: GARRISON_NEW_PASSWORD, a file, or a prompt. */
export function readNewPassword(file: string | undefined, context: CliContext): Promise<string> {
  return read({ ...toCome, file, isNew: true }, context);
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
  return read({ ...atHand, file: flags.passwordFile, isNew: options.isNew === true }, context);
}

/** The password as far as the environment or a file gives it. */
export function readGivenPassword(flags: PasswordFlags, context: CliContext): Promise<string | undefined> {
  return readGiven({ ...atHand, file: flags.passwordFile }, context);
}

async function read(
  kind: PasswordKind & { readonly file: string | undefined; readonly isNew: boolean },
  context: CliContext,
): Promise<string> {
  const given = await readGiven(kind, context);
  const password = given ?? (await promptFor(kind, context));
  if (password === "") throw new GarrisonError("usage", "the repository password is empty");
  if (given === undefined && kind.isNew) {
    const again = await promptFor({ ...kind, question: "The same again: " }, context);
    if (again !== password) throw new GarrisonError("usage", "the two passwords differ");
  }
  return password;
}

async function readGiven(
  kind: PasswordKind & { readonly file: string | undefined },
  context: CliContext,
): Promise<string | undefined> {
  return kind.file === undefined ? context.environment[kind.variable] : readPasswordFile(kind.file);
}

/** The first line of a file. */
export async function readPasswordFile(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).split(/\r?\n/, 1)[0]!;
  } catch (cause) {
    throw new GarrisonError("usage", `the password file ${file} can't be read`, { cause });
  }
}

async function promptFor(kind: PasswordKind, context: CliContext): Promise<string> {
  const { stdin, stderr } = context;
  if (stdin.isTTY !== true) {
    const what = kind.variable === atHand.variable ? "repository password" : "new password";
    throw new GarrisonError("usage", `no ${what}: set ${kind.variable} or use ${kind.option}`);
  }
  stderr.write(kind.question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: true });
  try {
    return await lines.question("", { signal: context.signal });
  } finally {
    lines.close();
    stderr.write("\n");
  }
}
