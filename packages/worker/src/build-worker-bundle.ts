import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import { build } from "esbuild";

export type WorkerArchitecture = "x64" | "arm64";

export interface BundleRequest {
  /** Bundles of the same content are found here again. */
  readonly cacheDir: string;
  readonly architecture: WorkerArchitecture;
}

export interface WorkerBundle {
  readonly path: string;
  /** Hex, of the file at `path`. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What the bundle's programs are made of: the worker, and the thread that the engine looks for beside itself. */
const programs = {
  worker: new URL("./main.ts", import.meta.url),
  "block-thread": new URL(import.meta.resolve("@garrison/repository/blocks/block-thread")),
} as const;

/** Makes CommonJS parts of the SDK work inside an ES module. */
const banner =
  'import { createRequire as _createRequire } from "node:module"; const require = _createRequire(import.meta.url);';

/**
 * One tar.gz with everything that a worker runs: its programs and the pinned Node binary; nothing is needed on the
 * instance but a kernel and glibc. The same sources give the same content name, so a second call only looks it up.
 */
export async function buildWorkerBundle(
  request: BundleRequest,
  call: { readonly signal: AbortSignal },
): Promise<WorkerBundle> {
  const { cacheDir, architecture } = request;
  await mkdir(cacheDir, { recursive: true });
  const node = findNode(architecture);
  const scripts = await buildPrograms();
  const path = join(cacheDir, `garrison-worker-${architecture}-${contentName(scripts, node)}.tar.gz`);
  const known = await readBundle(path);
  if (known !== undefined) return known;
  const folder = await mkdtemp(join(cacheDir, "building-"));
  try {
    await packBundle({ folder, scripts, node, path }, call.signal);
  } catch (error) {
    throw new GarrisonError("bundle-build-failed", `packing ${path}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const bundle = await readBundle(path);
  if (bundle === undefined)
    throw new GarrisonError("bundle-build-failed", `${path} is not there after packing`);
  return bundle;
}

interface NodeBinary {
  readonly path: string;
  readonly version: string;
}

/** The npm package that carries Node itself, so that the worker's Node is the one that was tested. */
function findNode(architecture: WorkerArchitecture): NodeBinary {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-linux-${architecture}/package.json`);
    const { version } = require(manifest) as { readonly version: string };
    return { path: join(manifest, "..", "bin", "node"), version };
  } catch (error) {
    throw new GarrisonError(
      "bundle-build-failed",
      `the package node-linux-${architecture} is not installed`,
      {
        cause: error,
      },
    );
  }
}

interface Script {
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function buildPrograms(): Promise<readonly Script[]> {
  const entryPoints = Object.entries(programs).map(([out, url]) => ({ in: fileURLToPath(url), out }));
  const options = {
    entryPoints,
    outdir: "/",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node24",
    minify: true,
    keepNames: true,
    legalComments: "none",
    logLevel: "silent",
    banner: { js: banner },
  } as const;
  const { outputFiles } = await build(options).catch((error: unknown) => {
    throw new GarrisonError("bundle-build-failed", "bundling the worker's programs", { cause: error });
  });
  return outputFiles.map(({ path, contents }) => ({ name: path.slice(1), bytes: contents }));
}

/** The Node binary is named by its version: hashing 120 MB at every start would cost more than it tells. */
function contentName(scripts: readonly Script[], node: NodeBinary): string {
  const hash = createHash("sha256").update(`node ${node.version}\n`);
  for (const script of scripts) hash.update(`${script.name} ${script.bytes.length}\n`).update(script.bytes);
  return hash.digest("hex").slice(0, 16);
}

interface Packing {
  readonly folder: string;
  readonly scripts: readonly Script[];
  readonly node: NodeBinary;
  readonly path: string;
}

async function packBundle({ folder, scripts, node, path }: Packing, signal: AbortSignal): Promise<void> {
  await Promise.all(scripts.map(({ name, bytes }) => writeFile(join(folder, name), bytes, { mode: 0o644 })));
  await copyFile(node.path, join(folder, "node"));
  const names = [...scripts.map(({ name }) => name).sort(), "node"];
  const plain = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mtime=@0",
    "--mode=u+rwX,go+rX",
  ];
  const packed = join(folder, "bundle.tar.gz");
  // Level 1: the bundle is fetched inside one Region, where packing time costs more than bytes.
  const tar = ["--use-compress-program=gzip -1 -n", ...plain, "-cf", packed, "-C", folder, ...names];
  await promisify(execFile)("tar", tar, { signal });
  const hash = createHash("sha256");
  await pipeline(createReadStream(packed), hash, { signal });
  const sha256 = hash.digest("hex");
  await writeFile(join(folder, "sha256"), sha256);
  await rename(join(folder, "sha256"), `${path}.sha256`);
  await rename(packed, path);
}

async function readBundle(path: string): Promise<WorkerBundle | undefined> {
  try {
    const { size: sizeBytes } = await stat(path);
    const sha256 = await readFile(`${path}.sha256`, "utf8");
    return { path, sha256, sizeBytes };
  } catch {
    return undefined;
  }
}
