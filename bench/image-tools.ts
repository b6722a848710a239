import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Measured, measureProcess } from "./measure-process.ts";

/** One program that can keep an image; every round gives it a fresh folder of its own. */
export interface ImageTool {
  readonly name: string;
  readonly version: readonly string[];
  readonly prepare: (folder: string) => Promise<unknown>;
  readonly first: (folder: string, image: string) => Promise<Measured>;
  readonly second?: (folder: string, image: string, changed: string) => Promise<Measured>;
  /** Answers with the measure; the image then lies at `restoredPath`. */
  readonly restore?: (folder: string, image: string, target: string) => Promise<Measured>;
  readonly restoredPath?: (image: string, target: string) => string;
  readonly store: (folder: string) => string;
}

const program = fileURLToPath(new URL("../packages/cli/bin/garrison", import.meta.url));
const password = "bench";

/** The real command as a person runs it: start of Node, key derivation and flushing to disk are in its time. */
export function garrison(folder: string, parameters: readonly string[]): Promise<Measured> {
  const repository = ["--repository", addressOf(folder)];
  return runGarrison([...parameters, ...repository]);
}

export function initGarrison(folder: string): Promise<Measured> {
  return runGarrison(["repository", "init", addressOf(folder)]);
}

function addressOf(folder: string): string {
  return `file://${join(folder, "repository")}`;
}

function runGarrison(parameters: readonly string[]): Promise<Measured> {
  return measureProcess([program, ...parameters, "--json"], { env: { GARRISON_PASSWORD: password } });
}

const ours: ImageTool = {
  name: "garrison",
  version: ["node", "--version"],
  prepare: (folder) => initGarrison(folder),
  first: (folder, image) => garrison(folder, ["image", "backup", image, "--name", "bench"]),
  second: (folder, image, changed) =>
    garrison(folder, ["image", "backup", image, "--name", "bench", "--changed", changed]),
  restore: (folder, _image, target) => garrison(folder, ["image", "restore", "bench", "--target", target]),
  restoredPath: (_image, target) => target,
  store: (folder) => join(folder, "repository"),
};

export function restic(folder: string, parameters: readonly string[]): Promise<Measured> {
  const places = ["-q", "-r", join(folder, "repository"), "--cache-dir", join(folder, "cache")];
  return measureProcess(["restic", ...places, ...parameters], { env: { RESTIC_PASSWORD: password } });
}

const resticTool: ImageTool = {
  name: "restic",
  version: ["restic", "version"],
  prepare: (folder) => restic(folder, ["init", "--repository-version", "2"]),
  first: (folder, image) => restic(folder, ["backup", "--compression", "auto", image]),
  second: (folder, image) => restic(folder, ["backup", "--compression", "auto", image]),
  restore: async (folder, image, target) => {
    const run = await restic(folder, ["restore", "latest", "--target", target]);
    // Ours answers when the file is on the disk: the same is asked of the peer.
    const flush = await measureProcess(["sync", join(target, image)]);
    return { ...run, wallMs: run.wallMs + flush.wallMs };
  },
  restoredPath: (image, target) => join(target, image),
  store: (folder) => join(folder, "repository"),
};

export function borg(folder: string, parameters: readonly string[]): Promise<Measured> {
  const env = { BORG_PASSPHRASE: password, BORG_BASE_DIR: join(folder, "base") };
  return measureProcess(["borg", ...parameters], { env, cwd: folder });
}

export const borgCreate = ["create", "--compression", "zstd,1", "--chunker-params", "fixed,524288"];
const borgTool: ImageTool = {
  name: "borg",
  version: ["borg", "--version"],
  prepare: (folder) => {
    mkdirSync(join(folder, "base"), { recursive: true });
    return borg(folder, ["init", "--encryption", "repokey", "repository"]);
  },
  first: (folder, image) => borg(folder, [...borgCreate, "repository::first", image]),
  second: (folder, image) => borg(folder, [...borgCreate, "repository::second", image]),
  store: (folder) => join(folder, "repository"),
};

/** Neither encrypts nor deduplicates: what two cores can compress at all. */
const zstdTool: ImageTool = {
  name: "zstd -1 -T2",
  version: ["zstd", "--version"],
  prepare: async (folder) => writeFileSync(join(folder, "image.zst"), ""),
  first: (folder, image) =>
    measureProcess(["zstd", "-1", "-T2", "-q", "-f", image, "-o", join(folder, "image.zst")]),
  store: (folder) => join(folder, "image.zst"),
};

/** Ours first; a peer that isn't installed is left out and named. */
export async function findImageTools(): Promise<{ tools: ImageTool[]; notes: string[] }> {
  const tools: ImageTool[] = [];
  const notes: string[] = [];
  for (const tool of [ours, resticTool, borgTool, zstdTool]) {
    try {
      const { stdout } = await measureProcess(tool.version);
      tools.push(tool);
      notes.push(`${tool.name}: ${stdout.split("\n")[0]}`);
    } catch {
      notes.push(`${tool.name}: left out, not installed (apt-get install restic borgbackup zstd)`);
    }
  }
  return { tools, notes };
}
