import { spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { systemClock } from "@garrison/core/clock";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const MiB = 1024 * 1024;
const { signal } = new AbortController();
const environment = { ...process.env, GARRISON_PASSWORD: "correct horse" };

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

let root: string;
let folder: string;
let url: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "garrison-stream-command-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, "scene-"));
  url = pathToFileURL(join(folder, "repository")).href;
  expect(await run(["repository", "init", url])).toMatchObject({ exitCode: 0 });
});

function start(words: readonly string[]): ChildProcess {
  const child = spawn(garrison, words, { env: environment, stdio: "pipe" });
  child.stdin!.on("error", () => undefined); // who is killed doesn't read on
  return child;
}

async function run(words: readonly string[], input: Uint8Array = Buffer.alloc(0)): Promise<Outcome> {
  const child = start(words);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout!.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr!.on("data", (bytes: Buffer) => stderr.push(bytes));
  Readable.from([input]).pipe(child.stdin!);
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

const backup = (...more: readonly string[]) => [
  "stream",
  "backup",
  "--name",
  "db",
  "--repository",
  url,
  "--json",
  ...more,
];
const restore = (...more: readonly string[]) => ["stream", "restore", "db", "--repository", url, ...more];

interface BackupReport {
  readonly point: string;
  readonly chunks: number;
  readonly chunksStored: number;
  readonly chunksReused: number;
  readonly chunksResumed: number;
  readonly sizeBytes: number;
}

async function backUp(input: Uint8Array, ...more: readonly string[]): Promise<BackupReport> {
  const { exitCode, stdout, stderr } = await run(backup(...more), input);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout.toString()) as BackupReport;
}

async function listPoints(): Promise<readonly { readonly sessionId: string }[]> {
  const { stdout } = await run(["stream", "list", "--repository", url, "--json"]);
  return (JSON.parse(stdout.toString()) as { points: { sessionId: string }[] }).points;
}

async function filesIn(path: string): Promise<readonly string[]> {
  const found = await readdir(join(folder, "repository", path), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("a dump through the command line", () => {
  test("goes in by a pipe and comes out by one, and with rows inserted is stored in a few chunks", async () => {
    const dump = randomBytes(24 * MiB);
    const first = await backUp(dump);
    expect(first).toMatchObject({ sizeBytes: dump.length, chunksReused: 0 });
    const later = Buffer.concat([dump.subarray(0, 7 * MiB), Buffer.from("row\n"), dump.subarray(7 * MiB)]);
    const second = await backUp(later);
    expect(second.chunksStored).toBeLessThanOrEqual(6);
    const restored = await run(restore());
    expect({ exitCode: restored.exitCode, stderr: restored.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(restored.stdout.equals(later)).toBe(true);
    const older = await run(["stream", "restore", first.point, "--repository", url]);
    expect(older.stdout.equals(dump)).toBe(true);
    const part = await run(restore("--offset", String(7 * MiB), "--length", "4"));
    expect(part.stdout.toString()).toBe("row\n");
    const check = await run(["repository", "check", url, "--level", "full", "--json"]);
    expect(JSON.parse(check.stdout.toString())).toMatchObject({
      verdict: "intact",
      level: "full",
      findings: [],
    });
    const list = await run(["repository", "list", url]);
    expect(list.stdout.toString()).toMatch(/ stream +db +24 MiB/);
  });

  test("is kept when its program ends well, and only then", async () => {
    const made = await backUp(Buffer.alloc(0), "--", "sh", "-c", "echo rows --json");
    expect(made.sizeBytes).toBe(12);
    const failing = ["--", "sh", "-c", "head -c 3000000 /dev/urandom; echo broken >&2; exit 7"];
    const failed = await run(backup(...failing));
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("sh ended with status 7") });
    expect(failed.stderr).toContain("broken");
    expect(failed.stderr).not.toContain("--resume");
    expect(JSON.parse(failed.stdout.toString())).toMatchObject({ error: { code: "producer-failed" } });
    const killed = await run(backup("--", "sh", "-c", "echo half; kill -9 $$"));
    expect(killed.stderr).toContain("sh was ended by SIGKILL");
    const absent = await run(backup("--", join(folder, "no-such-program")));
    expect(absent.stderr).toContain("no-such-program could not be started");
    expect(await listPoints()).toMatchObject([{ sessionId: made.point }]);
    expect((await run(restore())).stdout.toString()).toBe("rows --json\n");
  });

  test("is empty only when a program that ended well wrote nothing", async () => {
    const nothing = await run(backup());
    expect(nothing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("without a byte") });
    expect((await backUp(Buffer.alloc(0), "--", "true")).sizeBytes).toBe(0);
    expect(await run(restore())).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0) });
  });

  test("is restored into a new file, which is there only when it is whole", async () => {
    const dump = randomBytes(5 * MiB);
    await backUp(dump);
    const target = join(folder, "restored");
    const { stdout } = await run(restore("--target", target, "--json"));
    const sha256 = createHash("sha256").update(dump).digest("hex");
    expect(JSON.parse(stdout.toString())).toMatchObject({ name: "db", bytesWritten: dump.length, sha256 });
    expect((await readFile(target)).equals(dump)).toBe(true);
    expect(await run(restore("--target", target))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("target-unwritable"),
    });
    for (const file of await filesIn("local/pack")) await rm(file);
    const other = join(folder, "other");
    expect(await run(restore("--target", other))).toMatchObject({ exitCode: 1 });
    await expect(stat(other)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await run(restore("--json"))).toMatchObject({ exitCode: 2 });
  });

  test("whose reader stops early is a failure with a name, and ends at once", async () => {
    await backUp(randomBytes(20 * MiB));
    const child = start(restore());
    const stderr: Buffer[] = [];
    child.stderr!.on("data", (bytes: Buffer) => stderr.push(bytes));
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    const [exitCode] = (await once(child, "close")) as [number | null];
    expect({ exitCode, stderr: Buffer.concat(stderr).toString() }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining("output-closed"),
    });
  });

  test("is not mixed up with an image: both commands say which one is right", async () => {
    await backUp(Buffer.from("dump"));
    const image = join(folder, "disk.img");
    await writeFile(image, randomBytes(MiB));
    const places = ["--repository", url];
    const wrong = [
      ["image", "restore", "db", ...places, "--target", join(folder, "x")],
      ["image", "backup", image, ...places, "--name", "db"],
    ];
    for (const words of wrong) {
      const { exitCode, stderr } = await run(words);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining("point-kind-wrong"),
      });
      expect(stderr).toContain("garrison stream restore");
    }
    expect(await run(["image", "backup", image, ...places, "--name", "disk"])).toMatchObject({ exitCode: 0 });
    const { stderr } = await run(["stream", "restore", "disk", ...places]);
    expect(stderr).toContain("garrison image restore");
  });
});

describe("a stream backup that is killed", () => {
  test("leaves no point; made once more it stores only what it had not stored", async () => {
    const dump = randomBytes(100 * MiB);
    const child = start(backup());
    const closed = once(child, "close");
    // The pipe stays open: a dump that is still being written.
    child.stdin!.write(dump.subarray(0, 80 * MiB));
    while ((await filesIn("local/pack").catch(() => [])).length < 2) await systemClock.sleep(20, signal);
    child.kill("SIGKILL");
    await closed;
    expect(await listPoints()).toEqual([]);
    const [session] = await readdir(join(folder, "repository/local/session"));
    const made = await backUp(dump, "--resume", session!);
    expect(made.point).toBe(session);
    expect(made.chunksResumed).toBeGreaterThan(50);
    expect(made.chunksResumed + made.chunksStored).toBe(made.chunks);
    expect((await run(restore())).stdout.equals(dump)).toBe(true);
    const sizes = await Promise.all(
      (await filesIn("local/pack")).map(async (file) => (await stat(file)).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(101 * MiB);
  });

  test("by a signal says how to go on, and stops its program", async () => {
    const child = start(
      backup("--", "sh", "-c", "echo $$ >&2; head -c 5000000 /dev/urandom; exec sleep 600"),
    );
    const stderr: string[] = [];
    child.stderr!.on("data", (bytes: Buffer) => stderr.push(bytes.toString()));
    const closed = once(child, "close");
    while (!/^\d+\n/.test(stderr.join(""))) await systemClock.sleep(20, signal);
    child.kill("SIGTERM");
    expect((await closed)[0]).toBe(1);
    expect(stderr.join("")).toMatch(/add --resume [0-9a-f]{16}\n/);
    const pid = Number.parseInt(stderr.join(""), 10);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(await listPoints()).toEqual([]);
  });
});
