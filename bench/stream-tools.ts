import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Measured, measureProcess, type ProcessOptions } from "./measure-process.ts";

/** One program that keeps what comes by standard input; every round gives it a fresh folder of its own. */
export interface StreamTool {
  readonly name: string;
  readonly version: readonly string[];
  readonly prepare: (folder: string) => Promise<unknown>;
  /** `name` tells the first from the second backup. */
  readonly backup: (folder: string, dump: string, name: string) => Promise<Measured>;
  /** Of the backup made last. */
  readonly restore: (folder: string, target: string, name: string) => Promise<Measured>;
  readonly store: (folder: string) => string;
}

const program = fileURLToPath(new URL("../packages/cli/bin/garrison", import.meta.url));
const password = "bench";

function garrison(parameters: readonly string[], options: ProcessOptions = {}): Promise<Measured> {
  return measureProcess([program, ...parameters], { ...options, env: { GARRISON_PASSWORD: password } });
}

const addressOf = (folder: string) => `file://${join(folder, "repository")}`;

const ours: StreamTool = {
  name: "garrison",
  version: ["node", "--version"],
  prepare: (folder) => garrison(["repository", "init", addressOf(folder)]),
  backup: (folder, dump) =>
    garrison(["stream", "backup", "--name", "bench", "--repository", addressOf(folder), "--json"], {
      stdinFile: dump,
    }),
  restore: (folder, target) =>
    garrison(["stream", "restore", "bench", "--repository", addressOf(folder)], { stdoutFile: target }),
  store: (folder) => join(folder, "repository"),
};

function restic(folder: string, parameters: readonly string[], options: ProcessOptions = {}) {
  const places = ["-q", "-r", join(folder, "repository"), "--cache-dir", join(folder, "cache")];
  const env = { RESTIC_PASSWORD: password };
  return measureProcess(["restic", ...places, ...parameters], { ...options, env });
}

const resticTool: StreamTool = {
  name: "restic",
  version: ["restic", "version"],
  prepare: (folder) => restic(folder, ["init", "--repository-version", "2"]),
  backup: (folder, dump) =>
    restic(folder, ["backup", "--compression", "auto", "--stdin"], { stdinFile: dump }),
  restore: (folder, target) => restic(folder, ["dump", "latest", "stdin"], { stdoutFile: target }),
  store: (folder) => join(folder, "repository"),
};

function borg(folder: string, parameters: readonly string[], options: ProcessOptions = {}) {
  const env = { BORG_PASSPHRASE: password, BORG_BASE_DIR: join(folder, "base") };
  return measureProcess(["borg", ...parameters], { ...options, env, cwd: folder });
}

/** With its own chunker: content-defined, 2 MiB on average. */
const borgTool: StreamTool = {
  name: "borg",
  version: ["borg", "--version"],
  prepare: (folder) => {
    mkdirSync(join(folder, "base"), { recursive: true });
    return borg(folder, ["init", "--encryption", "repokey", "repository"]);
  },
  backup: (folder, dump, name) =>
    borg(folder, ["create", "--compression", "zstd,1", `repository::${name}`, "-"], { stdinFile: dump }),
  restore: (folder, target, name) =>
    borg(folder, ["extract", "--stdout", `repository::${name}`], { stdoutFile: target }),
  store: (folder) => join(folder, "repository"),
};

/** Ours first; a peer that isn't installed is left out and named. */
export async function findStreamTools(): Promise<{ tools: StreamTool[]; notes: string[] }> {
  const tools: StreamTool[] = [];
  const notes: string[] = [];
  for (const tool of [ours, resticTool, borgTool]) {
    try {
      const { stdout } = await measureProcess(tool.version);
      tools.push(tool);
      notes.push(`${tool.name}: ${stdout.split("\n")[0]}`);
    } catch {
      notes.push(`${tool.name}: left out, not installed (apt-get install restic borgbackup)`);
    }
  }
  return { tools, notes };
}
