import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { systemClock } from "@garrison/core/clock";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const MiB = 1024 * 1024;
const blockBytes = 512 * 1024;
const imageBytes = 32 * MiB;
const { signal } = new AbortController();
const environment = { ...process.env, GARRISON_PASSWORD: "correct horse" };

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Finding {
  readonly severity: string;
  readonly code: string;
  readonly key: string;
  readonly point?: string;
  readonly range?: { readonly offset: number; readonly length: number };
}

/** One repository with an image `disk` backed up in it; each test has its own and may ruin it. */
interface Scene {
  readonly folder: string;
  readonly repository: string;
  readonly url: string;
  readonly image: string;
}

let root: string;
let scene: Scene;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "garrison-image-command-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function run(words: readonly string[], env: NodeJS.ProcessEnv = environment): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(garrison, words, { env, maxBuffer: 16 * MiB }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

async function runJson<Result>(words: readonly string[]): Promise<Result> {
  const { exitCode, stdout, stderr } = await run([...words, "--json"]);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Result;
}

async function openScene(repository = "repository"): Promise<Scene> {
  const folder = await mkdtemp(join(root, "scene-"));
  const path = join(folder, repository);
  return { folder, repository: path, url: pathToFileURL(path).href, image: join(folder, "disk.img") };
}

/** An image whose first `dataBytes` don't compress; the rest is a hole. */
async function writeImage(path: string, dataBytes: number, sizeBytes = imageBytes): Promise<void> {
  const file = await open(path, "w");
  for (let at = 0; at < dataBytes; at += 16 * MiB)
    await file.write(randomBytes(Math.min(16 * MiB, dataBytes - at)));
  await file.truncate(sizeBytes);
  await file.close();
}

async function overwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await chmod(path, 0o640);
  const file = await open(path, "r+");
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

const backupWords = ({ image, url }: Scene, ...more: readonly string[]) => [
  "image",
  "backup",
  image,
  "--repository",
  url,
  "--name",
  "disk",
  ...more,
];

const restoreWords = ({ url, folder }: Scene, target = "restored.img") => [
  "image",
  "restore",
  "disk",
  "--repository",
  url,
  "--target",
  join(folder, target),
];

/** The only object under a prefix, as its path and its name in the repository. */
async function findObject({ repository }: Scene, prefix: string): Promise<{ path: string; key: string }> {
  const names = await readdir(join(repository, prefix), { recursive: true, withFileTypes: true });
  const file = names.filter((entry) => entry.isFile()).sort((a, b) => (a.name < b.name ? -1 : 1))[0]!;
  const path = join(file.parentPath, file.name);
  return { path, key: path.slice(repository.length + 1) };
}

async function check({ url }: Scene, level: "structure" | "full") {
  const { exitCode, stdout } = await run(["repository", "check", url, "--level", level, "--json"]);
  const { verdict, findings } = JSON.parse(stdout) as { verdict: string; findings: readonly Finding[] };
  return { exitCode, verdict, findings };
}

async function listPoints({ url }: Scene): Promise<readonly { readonly sessionId: string }[]> {
  const { points } = await runJson<{ points: { sessionId: string }[] }>([
    "image",
    "list",
    "--repository",
    url,
  ]);
  return points;
}

/** The blocks of a disk that are neither as on the original nor still a hole. */
async function wrongBlocks(path: string, original: string): Promise<readonly number[]> {
  const [left, right] = [await readFile(path).catch(() => Buffer.alloc(0)), await readFile(original)];
  const wrong = [];
  for (let at = 0; at < left.length; at += blockBytes) {
    const block = left.subarray(at, at + blockBytes);
    if (!block.equals(right.subarray(at, at + blockBytes)) && block.some((byte) => byte !== 0))
      wrong.push(at);
  }
  return wrong;
}

describe("a repository in a folder", () => {
  beforeEach(async () => {
    scene = await openScene();
    await writeImage(scene.image, 4 * MiB);
    await runJson(["repository", "init", scene.url]);
    await runJson(backupWords(scene));
  });

  test("opens with its password only, for reading and for writing", async () => {
    const wrong = { ...environment, GARRISON_PASSWORD: "wrong horse" };
    const before = (await readdir(scene.repository, { recursive: true })).sort();
    for (const words of [backupWords(scene), restoreWords(scene), ["repository", "check", scene.url]]) {
      expect(await run(words, wrong)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("repository-password-wrong"),
      });
    }
    expect((await readdir(scene.repository, { recursive: true })).sort()).toEqual(before);
    await expect(stat(join(scene.folder, "restored.img"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("with one flipped byte in a pack: the full check names pack, point and range, and the restore fails by name", async () => {
    const { path, key } = await findObject(scene, "local/pack");
    const at = 32 + 3 * blockBytes;
    const byte = (await readFile(path))[at]!;
    await overwrite(path, at, Uint8Array.of(byte ^ 0x40));
    const [point] = await listPoints(scene);
    expect(await run(restoreWords(scene))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/chunk-damaged|object-damaged/),
    });
    expect(await wrongBlocks(join(scene.folder, "restored.img"), scene.image)).toEqual([]);
    const { exitCode, verdict, findings } = await check(scene, "full");
    expect({ exitCode, verdict }).toEqual({ exitCode: 1, verdict: "damaged" });
    const damage = findings.find(({ severity, range }) => severity === "damage" && range !== undefined);
    expect(damage).toMatchObject({ code: "chunk-damaged", key, point: point!.sessionId });
    expect(damage?.range?.length).toBe(blockBytes);
    const { offset, length } = damage!.range!;
    const lost = `point-damaged: restore point ${point!.sessionId} has lost bytes ${offset}-${offset + length - 1} of image`;
    expect((await run(restoreWords(scene, "again.img"))).stderr).toContain(lost);
  });

  test("without a page of a map: check and restore say which object is missing", async () => {
    const { path, key } = await findObject(scene, "local/map");
    await unlink(path);
    const restore = await run(restoreWords(scene));
    expect(restore).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("object-missing") });
    expect(restore.stderr).toContain(key);
    expect(await wrongBlocks(join(scene.folder, "restored.img"), scene.image)).toEqual([]);
    for (const level of ["structure", "full"] as const) {
      const { exitCode, findings } = await check(scene, level);
      expect(exitCode).toBe(1);
      expect(findings).toContainEqual(expect.objectContaining({ code: "object-missing", key }));
    }
  });

  test("with a record that was cut short: the point is no longer listed, and the check names the record", async () => {
    const { path, key } = await findObject(scene, "local/point");
    await chmod(path, 0o640);
    await truncate(path, 500);
    const { exitCode, findings } = await check(scene, "structure");
    expect(exitCode).toBe(1);
    expect(findings).toContainEqual(expect.objectContaining({ severity: "damage", key }));
    expect(await listPoints(scene)).toEqual([]);
    expect(await run(restoreWords(scene))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/point-missing|object-/),
    });
  });

  test("whose newest map is damaged gets a whole restore point by the next full read, not by changes", async () => {
    await unlink((await findObject(scene, "local/map")).path);
    await unlink((await findObject(scene, "local/pack")).path);
    const changes = join(scene.folder, "changed.jsonl");
    await writeFile(changes, '{"offset": 0, "length": 1}\n');
    expect(await run(backupWords(scene, "--changed", changes))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("parent-unusable"),
    });
    expect(await runJson(backupWords(scene))).toMatchObject({
      coverage: "full",
      blocksStored: 8,
      fallbackReason: expect.stringContaining("the parent restore point has lost"),
    });
    await runJson(restoreWords(scene));
    expect((await readFile(join(scene.folder, "restored.img"))).equals(await readFile(scene.image))).toBe(
      true,
    );
  });
});

test("one flipped byte in the newest map costs the next backup a full read, no more", async () => {
  scene = await openScene();
  await writeImage(scene.image, 4 * MiB);
  await runJson(["repository", "init", scene.url]);
  await runJson(backupWords(scene));
  const { path } = await findObject(scene, "local/map");
  const bytes = await readFile(path);
  await overwrite(path, 100, Uint8Array.of(bytes[100]! ^ 1));
  expect(await runJson(backupWords(scene))).toMatchObject({ coverage: "full", blocksStored: 8 });
  await runJson(restoreWords(scene));
  expect((await readFile(join(scene.folder, "restored.img"))).equals(await readFile(scene.image))).toBe(true);
});

describe("image backup --changed", () => {
  beforeAll(async () => {
    scene = await openScene();
    await writeImage(scene.image, 8 * MiB);
    await runJson(["repository", "init", scene.url]);
    await runJson(backupWords(scene));
  });

  const changedFile = async (text: string) => {
    const file = join(scene.folder, "changed.jsonl");
    await writeFile(file, text);
    return file;
  };
  const lines = (...ranges: readonly object[]) =>
    ranges.map((range) => `${JSON.stringify(range)}\n`).join("");

  test("reads the blocks of these ranges and no other, whatever else is different", async () => {
    await overwrite(scene.image, 2 * blockBytes - 1, Buffer.from("over a border"));
    await overwrite(scene.image, 40 * blockBytes, randomBytes(10));
    await overwrite(scene.image, 5 * blockBytes, Buffer.from("not mentioned"));
    const file = await changedFile(
      lines(
        { offset: 2 * blockBytes - 1, length: 13 },
        { offset: 40 * blockBytes, length: 10 },
        { offset: 9 * blockBytes, length: 1 },
        { offset: 60 * blockBytes, length: 0 },
      ),
    );
    expect(await runJson(backupWords(scene, "--changed", file))).toMatchObject({
      coverage: "changes",
      blocksListed: 4,
      blocksRead: 4,
      bytesRead: 4 * blockBytes,
      blocksStored: 3,
    });
    await runJson(restoreWords(scene));
    const [restored, image] = [
      await readFile(join(scene.folder, "restored.img")),
      await readFile(scene.image),
    ];
    expect(restored.subarray(0, 5 * blockBytes).equals(image.subarray(0, 5 * blockBytes))).toBe(true);
    expect(restored.subarray(6 * blockBytes).equals(image.subarray(6 * blockBytes))).toBe(true);
  });

  test("of nothing reads nothing and makes a point", async () => {
    const file = await changedFile("\n");
    expect(await runJson(backupWords(scene, "--changed", file))).toMatchObject({
      coverage: "changes",
      blocksRead: 0,
      blocksStored: 0,
    });
  });

  test.each([
    ["no JSON", "offset 5\n", /changed\.jsonl:1/],
    ["a negative number", lines({ offset: 0, length: 1 }, { offset: -1, length: 1 }), /changed\.jsonl:2/],
    ["a fraction", lines({ offset: 0.5, length: 1 }), /changed\.jsonl:1/],
    ["a text for a number", lines({ offset: "0", length: 1 }), /changed\.jsonl:1/],
    ["a list", "[0, 1]\n", /changed\.jsonl:1/],
  ])("refuses a file with %s, and makes no point", async (_what, text, where) => {
    const before = await listPoints(scene);
    const file = await changedFile(text);
    expect(await run(backupWords(scene, "--changed", file))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(where),
    });
    expect(await listPoints(scene)).toEqual(before);
  });

  test("names a range past the end of the image", async () => {
    const file = await changedFile(lines({ offset: imageBytes, length: 1 }));
    expect(await run(backupWords(scene, "--changed", file))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/source-invalid.*33554432/),
    });
  });

  test("refuses a file that is not there", async () => {
    const words = backupWords(scene, "--changed", join(scene.folder, "absent.jsonl"));
    expect(await run(words)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("absent.jsonl") });
  });
});

describe("image backup", () => {
  beforeEach(async () => {
    scene = await openScene();
  });

  test("on a full disk fails by name, lists nothing half made, and goes on when there is space", async ({
    skip,
  }) => {
    if (!(await mountSmall(scene.repository))) skip("only root may mount a small file system");
    try {
      await runJson(["repository", "init", scene.url]);
      await writeImage(scene.image, 6 * MiB);
      await runJson(backupWords(scene));
      const before = await listPoints(scene);
      await writeImage(scene.image, 30 * MiB);
      const full = await run(backupWords(scene));
      expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("store-full") });
      expect(await listPoints(scene)).toEqual(before);
      expect(await check(scene, "full")).toMatchObject({ exitCode: 0, verdict: "intact" });
      execFileSync("mount", ["-o", "remount,size=100m", scene.repository]);
      await runJson(backupWords(scene));
      await runJson(restoreWords(scene));
    } finally {
      execFileSync("umount", [scene.repository]);
    }
    expect((await readFile(join(scene.folder, "restored.img"))).equals(await readFile(scene.image))).toBe(
      true,
    );
  });

  test("restored to a full disk fails by name", async ({ skip }) => {
    const small = join(scene.folder, "small");
    if (!(await mountSmall(small))) skip("only root may mount a small file system");
    try {
      await writeImage(scene.image, 30 * MiB);
      await runJson(["repository", "init", scene.url]);
      await runJson(backupWords(scene));
      expect(await run(restoreWords(scene, "small/restored.img"))).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("target-unwritable"),
      });
      expect(await wrongBlocks(join(small, "restored.img"), scene.image)).toEqual([]);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  test("killed in the middle lists nothing; resumed, it reads on where it was, and comes back byte for byte", async () => {
    await writeImage(scene.image, 384 * MiB, 400 * MiB);
    await runJson(["repository", "init", scene.url]);
    const session = await killMidway();
    expect(await listPoints(scene)).toEqual([]);
    expect(await check(scene, "full")).toMatchObject({ exitCode: 0, verdict: "intact" });
    const resumed = await runJson<{ blocksResumed: number; blocksRead: number }>(
      backupWords(scene, "--resume", session),
    );
    expect(resumed.blocksResumed).toBeGreaterThan(0);
    expect(resumed.blocksRead + resumed.blocksResumed).toBe(768);
    await runJson(restoreWords(scene));
    expect((await readFile(join(scene.folder, "restored.img"))).equals(await readFile(scene.image))).toBe(
      true,
    );
  });

  test("killed in the middle and simply started again completes, with one point only", async () => {
    await writeImage(scene.image, 256 * MiB, 256 * MiB);
    await runJson(["repository", "init", scene.url]);
    const killed = await killMidway();
    const again = await runJson<{ point: string }>(backupWords(scene));
    expect(again.point).not.toBe(killed);
    expect((await listPoints(scene)).map(({ sessionId }) => sessionId)).toEqual([again.point]);
    expect(await check(scene, "full")).toMatchObject({ exitCode: 0, verdict: "intact" });
    await runJson(restoreWords(scene));
    expect((await readFile(join(scene.folder, "restored.img"))).equals(await readFile(scene.image))).toBe(
      true,
    );
  });
});

/** A file system of 20 MiB in memory at this path, if this machine lets us. */
async function mountSmall(path: string): Promise<boolean> {
  await mkdir(path);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=20m", "garrison-test", path]);
  return mounted.status === 0;
}

/** Kills a backup as soon as its first pack is sealed. Answers its session. */
async function killMidway(): Promise<string> {
  const child = spawn(garrison, backupWords(scene, "--concurrency", "1"), {
    env: environment,
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  const packs = join(scene.repository, "local", "pack");
  for (;;) {
    const [session] = await readdir(packs).catch(() => []);
    if (session !== undefined && (await readdir(join(packs, session))).length > 0) break;
    if (child.exitCode !== null) throw new Error("the backup was done before it could be killed");
    await systemClock.sleep(2, signal);
  }
  child.kill("SIGKILL");
  expect((await exited)[1]).toBe("SIGKILL");
  return (await readdir(packs))[0]!;
}
