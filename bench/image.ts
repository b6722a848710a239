/**
 * `garrison image` beside restic, borg and zstd: the same image, the same machine, rounds in which all take turns, medians
 * and their ratios. Run: node bench/image.ts [--rounds 3] [--folder /tmp]. Needs 12 GiB of disk, mkfs.ext4, Linux.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../packages/core/src/random.ts";
import { GiB, MiB } from "../packages/core/src/units.ts";
import { buildFileTree } from "../packages/cli/src/demo/build-file-tree.ts";
import { findImageTools, garrison, initGarrison, type ImageTool } from "./image-tools.ts";
import type { Measured } from "./measure-process.ts";

const blockBytes = 512 * 1024;
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, folder: { type: "string", default: tmpdir() } },
});
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(values.folder, "garrison-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** An ext4 image full of this machine's programs and libraries, and logs where those don't suffice. */
async function makeImage(name: string, sizeBytes: number, usedBytes: number): Promise<string> {
  const tree = join(folder, `${name}.tree`);
  const image = join(folder, name);
  const sources = ["/usr/lib", "/usr/share", "/usr/bin"];
  await buildFileTree({ folder: tree, sources, sizeBytes: usedBytes }, new AbortController().signal);
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
  execFileSync("mkfs.ext4", ["-q", "-F", "-d", tree, image], { stdio: "pipe" });
  rmSync(tree, { recursive: true });
  return image;
}

/** Overwrites one block in a hundred, half of each with what can't be compressed, and lists them as --changed reads it. */
function changeBlocks(image: string, sizeBytes: number, round: number): { list: string; blocks: number } {
  const random = seededRandom(100 + round);
  const total = sizeBytes / blockBytes;
  const wanted = Math.ceil(total / 100);
  const chosen = new Set<number>();
  while (chosen.size < wanted) chosen.add(Buffer.from(random.bytes(4)).readUInt32LE() % total);
  const file = openSync(image, "r+");
  const content = Buffer.alloc(blockBytes, "changed ");
  for (const block of chosen) {
    randomBytes(blockBytes / 2).copy(content);
    writeSync(file, content, 0, blockBytes, block * blockBytes);
  }
  closeSync(file);
  const lines = [...chosen]
    .sort((a, b) => a - b)
    .map((block) => `{"offset":${block * blockBytes},"length":${blockBytes}}`);
  const list = join(folder, `changed-${round}.jsonl`);
  writeFileSync(list, `${lines.join("\n")}\n`);
  return { list, blocks: wanted };
}

type Run = "first" | "second" | "restore";
type Step = Run | `${Run} CPU` | "stored MiB";
const measures = new Map<string, number[]>();
const peaks = new Map<string, number[]>();
const readBlocks: string[] = [];

function note(into: Map<string, number[]>, key: string, value: number): void {
  into.set(key, [...(into.get(key) ?? []), value]);
}

function noteRun(tool: ImageTool, step: Run, run: Measured): void {
  note(measures, `${tool.name}/${step}`, run.wallMs / 1000);
  note(measures, `${tool.name}/${step} CPU`, run.cpuSeconds);
  note(peaks, `${tool.name}/${step}`, run.peakMiB);
}

function median(numbers: readonly number[] | undefined): number | undefined {
  if (numbers === undefined) return undefined;
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function homeOf(tool: ImageTool): string {
  return join(folder, tool.name.replaceAll(" ", ""));
}

async function firstBackup(tool: ImageTool, image: string): Promise<void> {
  rmSync(homeOf(tool), { recursive: true, force: true });
  mkdirSync(homeOf(tool), { recursive: true });
  await tool.prepare(homeOf(tool));
  noteRun(tool, "first", await tool.first(homeOf(tool), image));
  const size = execFileSync("du", ["-sk", tool.store(homeOf(tool))], { encoding: "utf8" });
  note(measures, `${tool.name}/stored MiB`, Number.parseInt(size, 10) / 1024);
}

async function secondBackup(tool: ImageTool, image: string, changed: { list: string; blocks: number }) {
  const run = await tool.second?.(homeOf(tool), image, changed.list);
  if (run === undefined) return;
  noteRun(tool, "second", run);
  if (tool.name !== "garrison") return;
  const { bytesRead } = JSON.parse(run.stdout) as { bytesRead: number };
  readBlocks.push(`${bytesRead / blockBytes} of ${changed.blocks}`);
}

async function restore(tool: ImageTool, image: string): Promise<void> {
  const target = join(folder, "restored");
  const run = await tool.restore?.(homeOf(tool), image, target);
  if (run !== undefined) {
    noteRun(tool, "restore", run);
    execFileSync("cmp", [image, tool.restoredPath!(image, target)]);
  }
  rmSync(target, { recursive: true, force: true });
}

function printTable(tools: readonly ImageTool[], steps: readonly Step[]): void {
  console.log(`\n| step | ${tools.map((tool) => tool.name).join(" | ")} | ratio to the others |`);
  console.log(`|---|${tools.map(() => "---:|").join("")}---|`);
  for (const step of steps) {
    const own = median(measures.get(`garrison/${step}`)) ?? Number.NaN;
    const found = tools.map((tool) => ({
      name: tool.name,
      value: median(measures.get(`${tool.name}/${step}`)),
    }));
    const cells = found.map(({ value }) => value?.toFixed(step === "stored MiB" ? 0 : 2) ?? "–");
    const ratios = found.flatMap(({ name, value }) =>
      name === "garrison" || value === undefined ? [] : [`${(own / value).toFixed(3)} ${name}`],
    );
    console.log(
      `| ${step}${step === "stored MiB" ? "" : ", s"} | ${cells.join(" | ")} | ${ratios.join(", ")} |`,
    );
  }
}

function printPeaks(tools: readonly ImageTool[], steps: readonly Run[]): void {
  console.log("\n| peak MiB of the process | " + tools.map((tool) => tool.name).join(" | ") + " |");
  console.log(`|---|${tools.map(() => "---:|").join("")}`);
  for (const step of steps) {
    const cells = tools.map((tool) => median(peaks.get(`${tool.name}/${step}`))?.toFixed(0) ?? "–");
    console.log(`| ${step} | ${cells.join(" | ")} |`);
  }
}

async function measurePeak(): Promise<void> {
  const image = await makeImage("sparse-64g.img", 64 * GiB, 2 * GiB);
  const seen: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const home = join(folder, `peak-${round}`);
    mkdirSync(home);
    await initGarrison(home);
    const run = await garrison(home, ["image", "backup", image, "--name", "peak"]);
    seen.push(run.peakMiB);
    rmSync(home, { recursive: true });
  }
  rmSync(image);
  const each = seen.map((peak) => peak.toFixed(0)).join(", ");
  console.log(`\nPeak of \`garrison image backup\`, 64 GiB sparse, 2 GiB of data: ${each} MiB (limit 300)`);
}

async function compare(tools: readonly ImageTool[]): Promise<void> {
  const sizeBytes = 4 * GiB;
  const image = await makeImage("ext4-4g.img", sizeBytes, 1638 * MiB);
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) await firstBackup(tool, image);
    const changed = changeBlocks(image, sizeBytes, round);
    for (const tool of tools) await secondBackup(tool, image, changed);
    for (const tool of tools) await restore(tool, image);
  }
  const runs: readonly Run[] = ["first", "second", "restore"];
  printTable(tools, [...runs, ...runs.map((run) => `${run} CPU` as const), "stored MiB"]);
  printPeaks(tools, runs);
  console.log(`\nBlocks that garrison read in the second backups: ${readBlocks.join("; ")} changed`);
}

const { tools, notes } = await findImageTools();
console.log(
  `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / GiB).toFixed(0)} GiB; ${notes.join("; ")}; ${rounds} rounds`,
);
await measurePeak();
await compare(tools);
