import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const MiB = 1024 * 1024;
let folder: string;
let url: string;
let image: string;

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command; the password is in the environment, never an argument. */
function run(words: readonly string[], password: string | null = "correct horse"): Promise<Outcome> {
  const { GARRISON_PASSWORD: _, ...environment } = process.env;
  const env = password === null ? environment : { ...environment, GARRISON_PASSWORD: password };
  return new Promise((resolve) => {
    const child = execFile(garrison, words, { env, maxBuffer: 16 * MiB }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

async function runJson(words: readonly string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await run([...words, "--json"]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function write(offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(image, "r+");
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-command-"));
  url = pathToFileURL(join(folder, "repository")).href;
  image = join(folder, "disk.img");
  const file = await open(image, "w");
  await file.truncate(200 * MiB + 1000);
  await file.close();
  await write(3 * MiB, randomBytes(5 * MiB));
  await write(200 * MiB + 100, randomBytes(900));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("an image goes into a folder repository and comes back byte for byte, twice", async () => {
  expect(await runJson(["repository", "init", url])).toMatchObject({
    repositoryId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  const first = await runJson(["image", "backup", image, "--repository", url, "--name", "disk"]);
  expect(first).toMatchObject({
    name: "disk",
    coverage: "full",
    blocksStored: 11,
    sizeBytes: 200 * MiB + 1000,
  });
  const original = await readFile(image);

  await write(100 * MiB + 7, Buffer.from("changed"));
  const changes = join(folder, "changes.jsonl");
  await writeFile(changes, `${JSON.stringify({ offset: 100 * MiB + 7, length: 7 })}\n`);
  const second = await runJson([
    "image",
    "backup",
    image,
    "--repository",
    url,
    "--name",
    "disk",
    "--changed",
    changes,
  ]);
  expect(second).toMatchObject({ coverage: "changes", blocksRead: 1, blocksStored: 1 });

  const restored = join(folder, "restored.img");
  await runJson(["image", "restore", "disk", "--repository", url, "--target", restored]);
  expect((await readFile(restored)).equals(await readFile(image))).toBe(true);
  expect((await stat(restored)).blocks * 512).toBeLessThan(20 * MiB);
  // Back to the first point over the second: only what differs is written.
  const inPlace = [
    "image",
    "restore",
    String(first["point"]),
    "--repository",
    url,
    "--target",
    restored,
    "--in-place",
  ];
  expect(await runJson(inPlace)).toMatchObject({ blocksWritten: 1 });
  expect((await readFile(restored)).equals(original)).toBe(true);

  const { points } = await runJson(["image", "list", "--repository", url]);
  expect(points).toEqual([
    expect.objectContaining({ sessionId: first["point"], domain: "local", name: "disk" }),
    expect.objectContaining({ sessionId: second["point"], parent: first["point"] }),
  ]);
  expect(await runJson(["repository", "list", url])).toEqual({ points });
  expect(await runJson(["repository", "status", url])).toMatchObject({
    domains: [{ domain: "local", points: 2 }],
  });
  expect(await runJson(["repository", "check", url, "--level", "full"])).toMatchObject({
    verdict: "intact",
    findings: [],
  });
});

test("what goes wrong has a name, a hint and an exit code", async () => {
  const wrong = await run(["image", "list", "--repository", url], "wrong");
  expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("repository-password-wrong") });
  const none = await run(["image", "list", "--repository", url], null);
  expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("GARRISON_PASSWORD") });
  const absent = await run([
    "image",
    "restore",
    "nothing",
    "--repository",
    url,
    "--target",
    join(folder, "x"),
  ]);
  expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("point-missing") });
  const over = await run(["image", "restore", "disk", "--repository", url, "--target", image]);
  expect(over).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("target-unwritable") });
  const changes = join(folder, "wrong.jsonl");
  await writeFile(changes, '{"offset": 0, "length": 1}\n{"offset": -1}\n');
  const lines = await run([
    "image",
    "backup",
    image,
    "--repository",
    url,
    "--name",
    "disk",
    "--changed",
    changes,
  ]);
  expect(lines).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("wrong.jsonl:2") });
});
