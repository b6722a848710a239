import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatProof } from "@garrison/roles/proof/format-proof";
import { isProven } from "@garrison/roles/proof/is-proven";
import type { ProofRecord } from "@garrison/roles/proof/proof-record";
import type { CliContext } from "../../cli-context.ts";
import { oneOf } from "../role-options.ts";
import { proofScenarios } from "./proof-scenarios.ts";
import { proveRoles } from "./prove-roles.ts";

/** A lab with its appliance takes a gigabyte, and half of the time it waits. */
const mostByDefault = 16;

interface ProveFlags {
  readonly form?: string;
  readonly action?: readonly string[];
  readonly scenario?: readonly string[];
  readonly jobs?: string;
  readonly patience: string;
  readonly since?: string;
  readonly out?: string;
  readonly json?: true;
}

export function registerProve(roles: Command, context: CliContext): void {
  roles
    .command("prove")
    .description("run operations in labs of their own, with every right and with each one missing")
    .argument("[operation...]", "ec2.image-backup, ec2.instance-restore (default: both)")
    .option(
      "--form <form>",
      "scoped or compatible (default: both are run; rights are taken out of the scoped)",
    )
    .option("--action <action...>", "take only these actions away (default: every one)")
    .option("--scenario <id...>", "only these scenarios (default: all of the operations)")
    .option("--jobs <count>", "labs to work on at once (default: two for each processor)")
    .option("--patience <seconds>", "how long a run waits for a silent worker; more on a busy machine", "20")
    .option("--since <file>", "an earlier result: rights that are the same are not tried again")
    .option("--out <file>", "write the result there as JSON too")
    .option("--json", "print one object")
    .addHelpText("after", "\nExit code: 0 proven, 1 something is missing, superfluous or too wide, 2 usage.")
    .action((operations: readonly string[], flags: ProveFlags) => prove(operations, flags, context));
}

async function prove(operations: readonly string[], flags: ProveFlags, context: CliContext): Promise<void> {
  const known = [...new Set(proofScenarios.map(({ operation }) => operation as string))];
  for (const id of operations) oneOf(id, known, "an operation to prove");
  for (const id of flags.scenario ?? [])
    oneOf(
      id,
      proofScenarios.map((one) => one.id),
      "--scenario",
    );
  const forms = ["scoped", "compatible"] as const;
  const folder = await mkdtemp(join(tmpdir(), "garrison-proof-"));
  try {
    const record = await proveRoles(
      {
        operations: operations.length === 0 ? known : operations,
        forms: flags.form === undefined ? forms : [oneOf(flags.form, forms, "--form")],
        jobs:
          flags.jobs === undefined
            ? Math.min(mostByDefault, 2 * availableParallelism())
            : wholeNumber(flags.jobs, { option: "--jobs", most: 64 }),
        patienceMs: 1000 * wholeNumber(flags.patience, { option: "--patience", most: 3600 }),
        folder,
        ...(flags.since === undefined ? {} : { since: await readSince(flags.since) }),
        ...(flags.action === undefined ? {} : { actions: flags.action }),
        ...(flags.scenario === undefined ? {} : { scenarios: flags.scenario }),
      },
      context,
      (line) => context.stderr.write(`${line}\n`),
    );
    const json = `${JSON.stringify(record, null, 2)}\n`;
    if (flags.out !== undefined) await writeFile(flags.out, json);
    context.stdout.write(flags.json === true ? json : formatProof(record));
    context.setExitCode(isProven(record) ? 0 : 1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readSince(file: string): Promise<Pick<ProofRecord, "actions">> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new GarrisonError("usage", `--since ${file} can't be read`, { cause: error });
  });
  const record = parseRecord(text);
  if (record !== undefined) return record;
  throw new GarrisonError("usage", `--since ${file} is not what --out writes`);
}

function parseRecord(text: string): Pick<ProofRecord, "actions"> | undefined {
  try {
    const { actions } = JSON.parse(text) as Partial<ProofRecord>;
    const isRecord = Array.isArray(actions) && actions.every(({ digest }) => typeof digest === "string");
    return isRecord ? { actions } : undefined;
  } catch {
    return undefined;
  }
}

function wholeNumber(
  text: string,
  { option, most }: { readonly option: string; readonly most: number },
): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new GarrisonError("usage", `${option} takes a whole number from 1 to ${most}, not ${text}`);
}
