/**
 * Five disk images that share an operating system, backed up one after the other by `garrison image` (which looks for known
 * blocks by similarity), restic and borg (which keep an index of everything): what each image adds, how much of what a full
 * index of 512 KiB blocks would find is found, and what the search costs.
 * Run: node bench/similar.ts [--system 1024] [--own 64] [--folder /tmp]. Sizes in MiB. Needs Linux, e2fsprogs.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  closeSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../packages/core/src/clock.ts";
import { silentLogger } from "../packages/core/src/logger.ts";
import { seededRandom, randomBelow } from "../packages/core/src/random.ts";
import { GiB, MiB } from "../packages/core/src/units.ts";
import { buildFileTree, writeLogFile } from "../packages/cli/src/demo/build-file-tree.ts";
import { backupVolumes } from "../packages/repository/src/backup/backup-volumes.ts";
import { openFileBlockSource } from "../packages/repository/src/disk/file-block-source.ts";
import { deriveRepository } from "../packages/repository/src/keys/derive-keys.ts";
import { newLaneId, newSessionId } from "../packages/repository/src/point/session-id.ts";
import { openFolderObjectStore } from "../packages/repository/src/store/folder-object-store.ts";
import type { ObjectStore } from "../packages/repository/src/store/object-store.ts";
import { borg, borgCreate, garrison, initGarrison, restic } from "./image-tools.ts";
import { type Measured, measureProcess } from "./measure-process.ts";

const blockBytes = 512 * 1024;
const { values } = parseArgs({
  options: {
    system: { type: "string", default: "1024" },
    own: { type: "string", default: "64" },
    folder: { type: "string", default: tmpdir() },
  },
});
const systemBytes = Number(values.system) * MiB;
const ownBytes = Number(values.own) * MiB;
const imageBytes = systemBytes * 2;
const folder = mkdtempSync(join(values.folder, "garrison-similar-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const call = { signal: new AbortController().signal };

// ---- the images

/** What mkfs draws by chance is given, so that two file systems of one tree lie alike. */
const sameLayout = [
  "-U",
  "00000000-0000-4000-8000-000000000001",
  "-E",
  "hash_seed=00000000-0000-4000-8000-000000000002",
];

function makeFileSystem(name: string, tree: string, options: readonly string[]): string {
  const image = join(folder, name);
  writeFileSync(image, "");
  truncateSync(image, imageBytes);
  execFileSync("mkfs.ext4", ["-q", "-F", ...sameLayout, ...options, "-d", tree, image], { stdio: "pipe" });
  return image;
}

/** A machine launched from the first image some time ago: other logs and data, some files gone, some replaced. */
async function makeClone(golden: string, number: number, files: readonly string[]): Promise<string> {
  const image = join(folder, `clone-${number}`);
  execFileSync("cp", ["--sparse=always", golden, image]);
  const random = seededRandom(`clone ${number}`);
  const own = await writeOwnFiles(number);
  const gone = Array.from({ length: 50 }, () => files[randomBelow(random, files.length)]!);
  const script = [
    ...new Set(gone.map((file) => `rm "${file}"`)),
    `mkdir /own-${number}`,
    ...own.map((file) => `write ${file} /own-${number}/${basename(file)}`),
  ];
  const commands = join(folder, `clone-${number}.debugfs`);
  writeFileSync(commands, `${script.join("\n")}\n`);
  execFileSync("debugfs", ["-w", "-f", commands, image], { stdio: "pipe" });
  return image;
}

/** Half logs, half what can't be compressed. */
async function writeOwnFiles(number: number): Promise<readonly string[]> {
  const home = join(folder, `own-${number}`);
  mkdirSync(home, { recursive: true });
  const files: string[] = [];
  for (let written = 0; written < ownBytes; written += 2 * MiB) {
    const log = join(home, `log-${written}`);
    await writeLogFile(log, MiB);
    const data = join(home, `data-${written}`);
    writeFileSync(data, randomBytes(MiB));
    files.push(log, data);
  }
  return files;
}

async function makeImages(): Promise<readonly string[]> {
  const tree = join(folder, "tree");
  const sources = ["/usr/lib", "/usr/bin", "/usr/share"];
  await buildFileTree({ folder: tree, sources, sizeBytes: systemBytes }, call.signal);
  const golden = makeFileSystem("golden", tree, []);
  const found = execFileSync("find", [join(tree, "usr"), "-type", "f"], {
    encoding: "utf8",
    maxBuffer: 256 * MiB,
  });
  const files = found
    .trim()
    .split("\n")
    .map((file) => file.slice(tree.length))
    .filter((file) => !file.includes('"'));
  const clones = [];
  for (const number of [2, 3, 4]) clones.push(await makeClone(golden, number, files));
  for (const file of await writeOwnFiles(5)) copyFileSync(file, join(tree, basename(file)));
  const other = makeFileSystem("other-layout", tree, ["-N", "300000", "-O", "^flex_bg"]);
  rmSync(tree, { recursive: true });
  return [golden, ...clones, other];
}

// ---- what could be found

interface Contents {
  readonly blocks: number;
  /** Blocks that came before, here or in an image before. */
  readonly repeated: number;
}

function readContents(image: string, seen: Set<string>): Contents {
  const file = openSync(image, "r");
  const bytes = Buffer.alloc(blockBytes);
  const zero = Buffer.alloc(blockBytes);
  let [blocks, repeated] = [0, 0];
  while (readSync(file, bytes, 0, blockBytes, null) > 0) {
    if (bytes.equals(zero)) continue;
    const digest = createHash("sha256").update(bytes).digest("base64");
    blocks++;
    if (seen.has(digest)) repeated++;
    seen.add(digest);
  }
  closeSync(file);
  return { blocks, repeated };
}

// ---- the programs

interface Program {
  readonly name: string;
  readonly prepare: (home: string) => Promise<unknown>;
  readonly backUp: (home: string, image: string) => Promise<Measured>;
}

const programs: readonly Program[] = [
  {
    name: "garrison",
    prepare: initGarrison,
    backUp: (home, image) => garrison(home, ["image", "backup", image, "--name", basename(image)]),
  },
  {
    name: "restic",
    prepare: (home) => restic(home, ["init", "--repository-version", "2"]),
    backUp: (home, image) => restic(home, ["backup", "--compression", "auto", image]),
  },
  {
    name: "borg",
    prepare: (home) => {
      mkdirSync(join(home, "base"), { recursive: true });
      return borg(home, ["init", "--encryption", "repokey", "repository"]);
    },
    backUp: (home, image) => borg(home, [...borgCreate, `repository::${basename(image)}`, image]),
  },
];

async function findPrograms(): Promise<readonly Program[]> {
  const found: Program[] = [];
  for (const program of programs) {
    const version =
      program.name === "garrison"
        ? ["node", "--version"]
        : [program.name, program.name === "borg" ? "--version" : "version"];
    const measured = await measureProcess(version).catch(() => undefined);
    if (measured === undefined) console.log(`${program.name}: left out, not installed`);
    else found.push(program);
  }
  return found;
}

interface Added {
  readonly run: Measured;
  readonly storedMiB: number;
}

async function measureProgram(program: Program, images: readonly string[]): Promise<readonly Added[]> {
  const home = join(folder, program.name);
  mkdirSync(home, { recursive: true });
  await program.prepare(home);
  const added: Added[] = [];
  let before = sizeOf(home);
  for (const image of images) {
    const run = await program.backUp(home, image);
    const after = sizeOf(home);
    added.push({ run, storedMiB: after - before });
    before = after;
  }
  rmSync(home, { recursive: true });
  return added;
}

function sizeOf(home: string): number {
  const text = execFileSync("du", ["-sk", join(home, "repository")], { encoding: "utf8" });
  return Number.parseInt(text, 10) / 1024;
}

// ---- what the search costs, in this process

type Requests = Record<string, number>;

/** Counts requests by what they are about. */
function countByKind(store: ObjectStore, counts: Requests): ObjectStore {
  const count = (method: string, key: string) => {
    const kind = /\/(session|pack|map|point|end)\//.exec(key)?.[1] ?? "other";
    const name = key.includes("/base-") ? `${method} base` : `${method} ${kind}`;
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return {
    ...store,
    create: (key, ...rest) => (count("PUT", key), store.create(key, ...rest)),
    read: (key, options) => (count("GET", key), store.read(key, options)),
    list: (key, options) => (count("LIST", key), store.list(key, options)),
  };
}

async function backUpInProcess(images: readonly string[]) {
  const clock = systemClock;
  const random = seededRandom("similar");
  const repository = deriveRepository("00".repeat(16), [random.bytes(32)]);
  const keys = repository.domainKeys("local");
  const store = openFolderObjectStore({ folder: join(folder, "counted") });
  const results: { requests: Requests; reused: number; bases: number }[] = [];
  for (const image of images) {
    const requests: Requests = {};
    const sessionId = newSessionId({ clock, random });
    const source = await openFileBlockSource({ path: image });
    const dependencies = { store: countByKind(store, requests), clock, random, logger: silentLogger, keys };
    const dataKey = repository.sessionDataKey("local", sessionId, 1);
    const plan = {
      grant: { sessionId, laneId: newLaneId(random), dataKey, epoch: 1 },
      series: basename(image),
      volumes: [{ volumeId: "image", source }],
      description: {},
    };
    const summary = await backupVolumes(dependencies, plan, call);
    await source.close();
    const reused = summary.volumes[0]!.blocksReused;
    results.push({ requests, reused, bases: requests["PUT base"] ?? 0 });
  }
  return results;
}

// ---- all of it

function printStored(images: readonly string[], results: ReadonlyMap<string, readonly Added[]>): void {
  const names = [...results.keys()];
  console.log(`\n| stored MiB | ${names.join(" | ")} | garrison / others |`);
  console.log(`|---|${names.map(() => "---:|").join("")}---|`);
  const row = (title: string, value: (added: readonly Added[]) => number, digits = 0) => {
    const cells = names.map((name) => value(results.get(name)!));
    const ratios = names
      .slice(1)
      .map((name, index) => `${(cells[0]! / cells[index + 1]!).toFixed(2)} ${name}`);
    console.log(
      `| ${title} | ${cells.map((cell) => cell.toFixed(digits)).join(" | ")} | ${ratios.join(", ")} |`,
    );
  };
  for (const [index, image] of images.entries()) row(basename(image), (added) => added[index]!.storedMiB);
  row("all", (added) => added.reduce((sum, each) => sum + each.storedMiB, 0));
  row("seconds, golden", (added) => added[0]!.run.wallMs / 1000, 1);
  row("seconds, clones (mean)", (added) => meanOf(added.slice(1, 4).map(({ run }) => run.wallMs)) / 1000, 1);
  row("CPU seconds, clones (mean)", (added) => meanOf(added.slice(1, 4).map(({ run }) => run.cpuSeconds)), 1);
  row("peak MiB of the process", (added) => Math.max(...added.map(({ run }) => run.peakMiB)));
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

function printFound(
  images: readonly string[],
  contents: readonly Contents[],
  results: Awaited<ReturnType<typeof backUpInProcess>>,
): void {
  console.log("\n| image | blocks | repeat (full index) | found | share | bases | requests |");
  console.log("|---|---:|---:|---:|---:|---:|---|");
  for (const [index, image] of images.entries()) {
    const { blocks, repeated } = contents[index]!;
    const { reused, requests, bases } = results[index]!;
    const share = repeated === 0 ? "–" : `${((100 * reused) / repeated).toFixed(1)} %`;
    const list = Object.entries(requests)
      .map(([name, count]) => `${count} ${name}`)
      .sort()
      .join(", ");
    console.log(
      `| ${basename(image)} | ${blocks} | ${repeated} | ${reused} | ${share} | ${bases} | ${list} |`,
    );
  }
}

console.log(
  `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / GiB).toFixed(0)} GiB; system ${values.system} MiB, own ${values.own} MiB an image`,
);
const images = await makeImages();
const seen = new Set<string>();
const contents = images.map((image) => readContents(image, seen));
printFound(images, contents, await backUpInProcess(images));
const results = new Map<string, readonly Added[]>();
for (const program of await findPrograms()) results.set(program.name, await measureProgram(program, images));
printStored(images, results);
