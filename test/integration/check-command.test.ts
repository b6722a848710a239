import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const MiB = 1024 * 1024;
const sizeBytes = 100 * MiB;
let folder: string;
let url: string;
let image: string;

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, GARRISON_PASSWORD: "correct horse" };
  return new Promise((resolve) => {
    execFile(garrison, words, { env, maxBuffer: 16 * MiB }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
  });
}

async function runJson(words: readonly string[], exitCode = 0): Promise<Record<string, unknown>> {
  const outcome = await run([...words, "--json"]);
  expect(outcome).toMatchObject({ exitCode });
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

async function write(offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(image, "r+");
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

const inRepository = () => ["--repository", url];

/** Deletes all packs of a restore point. */
async function losePacks(point: string): Promise<void> {
  const packs = join(folder, "repository", "local", "pack", point);
  expect((await readdir(packs)).length).toBeGreaterThan(0);
  await rm(packs, { recursive: true });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-check-"));
  url = pathToFileURL(join(folder, "repository")).href;
  image = join(folder, "disk.img");
  const file = await open(image, "w");
  await file.truncate(sizeBytes);
  await file.close();
  await write(2 * MiB, randomBytes(2 * MiB));
  await write(50 * MiB, randomBytes(1 * MiB));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("half a disk is told, salvaged, healed by the next backup and repaired", async () => {
  await runJson(["repository", "init", url]);
  const first = await runJson(["image", "backup", image, ...inRepository(), "--name", "disk"]);
  const point = String(first["point"]);
  const original = await readFile(image);
  expect(await runJson(["image", "verify", "disk", ...inRepository()])).toMatchObject({
    point,
    blocksVerified: 6,
    lost: [],
  });
  expect(await runJson(["image", "verify", "disk", ...inRepository(), "--source", image])).toMatchObject({
    blocksVerified: 200,
    differing: [],
  });
  expect(await runJson(["repository", "check", url, "--budget", "1GiB"])).toMatchObject({
    verdict: "intact",
  });
  expect(await runJson(["repository", "status", url])).toMatchObject({
    domains: [{ verified: { neverBytes: 0 } }],
  });

  await losePacks(point);
  const lost = [
    { offset: 2 * MiB, length: 2 * MiB },
    { offset: 50 * MiB, length: 1 * MiB },
  ];
  expect(await runJson(["repository", "check", url], 1)).toMatchObject({
    verdict: "damaged",
    findings: [{ code: "object-missing", point, hits: [{ volumeId: "image", ranges: lost }] }],
  });
  expect(await runJson(["image", "list", ...inRepository()])).toMatchObject({
    points: [{ lostBytes: 3 * MiB }],
  });

  const target = join(folder, "restored.img");
  const restore = ["image", "restore", point, ...inRepository(), "--target", target];
  const refused = await run(restore);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`has lost bytes 2097152-4194303, 52428800-53477375 of image`);
  expect(await runJson([...restore, "--skip-damaged"], 1)).toMatchObject({ lost });
  expect((await readFile(target)).equals(Buffer.alloc(sizeBytes))).toBe(true);

  // One of the two ranges has changed since: it can't come back.
  await write(50 * MiB, randomBytes(1 * MiB));
  await runJson(["image", "backup", image, ...inRepository(), "--name", "disk"]);
  const plan = await run(["repository", "repair", url, "--plan"]);
  expect(plan).toMatchObject({ exitCode: 1 });
  expect(plan.stdout).toContain(
    `${point} disk image: 2 MiB of 3 MiB come back, stays lost: bytes 52428800-53477375`,
  );
  expect(await runJson(["repository", "repair", url], 1)).toMatchObject({
    domains: [{ itemsHealed: 4, volumes: [{ point, blocks: 2, remaining: [lost[1]] }] }],
  });
  await rm(target);
  expect(await runJson([...restore, "--skip-damaged"], 1)).toMatchObject({ lost: [lost[1]] });
  const restored = await readFile(target);
  expect(restored.subarray(0, 50 * MiB).equals(original.subarray(0, 50 * MiB))).toBe(true);
}, 600_000);

test("options that make no sense are usage errors", async () => {
  for (const options of [
    ["--level", "deep"],
    ["--level", "structure", "--budget", "1GiB"],
    ["--level", "full", "--sample", "1%"],
    ["--budget", "much"],
    ["--sample", "200%"],
  ]) {
    expect((await run(["repository", "check", url, ...options])).exitCode, options.join(" ")).toBe(2);
  }
});
