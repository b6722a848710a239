/**
 * `garrison stream` beside restic and borg: a dump of some hundred MiB made by a seed, then the same with rows inserted at
 * places spread over it, then its restore; the same machine, rounds in which all take turns, medians and their ratios.
 * Run: node bench/stream.ts [--rounds 3] [--size 500] [--folder /tmp]. Needs eight times the size on disk.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../packages/core/src/units.ts";
import { cutStream } from "../packages/repository/src/stream/cut-stream.ts";
import { defaultCutSizes } from "../packages/repository/src/stream/cut-sizes.ts";
import { deriveCutTable } from "../packages/repository/src/stream/cut-table.ts";
import type { Measured } from "./measure-process.ts";
import { insertRows, writeDump } from "./sql-dump.ts";
import { findStreamTools, type StreamTool } from "./stream-tools.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    size: { type: "string", default: "500" },
    folder: { type: "string", default: tmpdir() },
  },
});
const folder = mkdtempSync(join(values.folder, "garrison-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const steps = ["first", "second", "restore"] as const;
type Step = (typeof steps)[number];
const measures = new Map<string, number[]>();

function note(key: string, value: number): void {
  measures.set(key, [...(measures.get(key) ?? []), value]);
}

function noteRun(tool: StreamTool, step: Step, run: Measured): void {
  note(`${tool.name}/${step}, s`, run.wallMs / 1000);
  note(`${tool.name}/${step} CPU, s`, run.cpuSeconds);
  note(`${tool.name}/${step} peak, MiB`, run.peakMiB);
}

function median(key: string): number {
  const sorted = (measures.get(key) ?? []).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const storedMiB = (path: string) =>
  Number.parseInt(execFileSync("du", ["-sk", path], { encoding: "utf8" }), 10) / 1024;

async function takeTurn(tool: StreamTool, dumps: { readonly first: string; readonly second: string }) {
  const home = join(folder, tool.name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  await tool.prepare(home);
  noteRun(tool, "first", await tool.backup(home, dumps.first, "first"));
  const stored = storedMiB(tool.store(home));
  noteRun(tool, "second", await tool.backup(home, dumps.second, "second"));
  note(`${tool.name}/stored, MiB`, stored);
  note(`${tool.name}/added by the second, MiB`, storedMiB(tool.store(home)) - stored);
  const target = join(folder, "restored");
  noteRun(tool, "restore", await tool.restore(home, target, "second"));
  execFileSync("cmp", [dumps.second, target]);
  rmSync(target);
}

function printTable(tools: readonly StreamTool[]): void {
  const sizes = ["stored, MiB", "added by the second, MiB"];
  const rows = [
    ...steps.map((step) => `${step}, s`),
    ...steps.map((step) => `${step} CPU, s`),
    ...sizes,
    ...steps.map((step) => `${step} peak, MiB`),
  ];
  console.log(`\n| | ${tools.map((tool) => tool.name).join(" | ")} | ratio to the others |`);
  console.log(`|---|${tools.map(() => "---:|").join("")}---|`);
  for (const row of rows) {
    const own = median(`garrison/${row}`);
    const cells = tools.map((tool) => median(`${tool.name}/${row}`).toFixed(row.endsWith("MiB") ? 1 : 2));
    const others = tools.filter((tool) => tool.name !== "garrison");
    const ratios = others.map((tool) => `${(own / median(`${tool.name}/${row}`)).toFixed(2)} ${tool.name}`);
    console.log(`| ${row} | ${cells.join(" | ")} | ${ratios.join(", ")} |`);
  }
}

/** How fast a stream is cut, beside what else must be done to each byte: processor time a MiB. */
async function measureCutting(): Promise<void> {
  const bytes = randomBytes(256 * MiB);
  async function* inReads() {
    for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
  }
  const options = { table: deriveCutTable(randomBytes(32)), sizes: defaultCutSizes };
  const cutting = await cpuOf(async () => {
    for await (const _ of cutStream(inReads(), options, { signal: new AbortController().signal }));
  });
  const { hash } = await import("node:crypto");
  const hashing = await cpuOf(async () => {
    for (let at = 0; at < bytes.length; at += MiB) hash("sha256", bytes.subarray(at, at + MiB));
  });
  const speed = (milliseconds: number) => `${((256 * 1000) / milliseconds).toFixed(0)} MiB/s`;
  console.log(`\nOne core: cut ${speed(cutting)}, SHA-256 ${speed(hashing)}`);
}

/** Processor time of the fastest of three, in milliseconds. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1000);
  }
  return Math.min(...taken);
}

const { tools, notes } = await findStreamTools();
const rounds = Number(values.rounds);
console.log(
  `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / GiB).toFixed(0)} GiB; ${notes.join("; ")}; ${rounds} rounds`,
);
await measureCutting();
const dumps = { first: join(folder, "first.sql"), second: join(folder, "second.sql") };
writeDump(dumps.first, "orders", Number(values.size) * MiB);
const inserted = insertRows(dumps.first, dumps.second, { seed: "a day later", places: 50 });
console.log(
  `\nA dump of ${(statSync(dumps.first).size / MiB).toFixed(0)} MiB; the second has ${(inserted / 1024).toFixed(0)} KiB more, in rows inserted after one MiB in ten`,
);
for (let round = 0; round < rounds; round++) for (const tool of tools) await takeTurn(tool, dumps);
printTable(tools);
