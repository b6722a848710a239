import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const environment = { ...process.env, GARRISON_PASSWORD: "correct horse" };
const MiB = 1024 * 1024;
const run = (...words: string[]) => promisify(execFile)(garrison, words, { env: environment });
const isRoot = process.getuid?.() === 0;

let root: string;
let url: string;

/** A GPT disk: a small boot partition, then ext4 with a few files, whose journal has something to replay. */
async function buildDisk(path: string): Promise<void> {
  const tree = join(root, "tree");
  await mkdir(join(tree, "docs"), { recursive: true });
  await writeFile(join(tree, "docs", "letter.txt"), "dear reader");
  await writeFile(join(tree, "big.bin"), Buffer.alloc(5 * MiB, "garrison "));
  const part = join(root, "part.img");
  execFileSync("truncate", ["-s", "48M", part]);
  execFileSync("mkfs.ext4", ["-q", "-F", "-d", tree, part]);
  const disk = await open(path, "w");
  await disk.truncate(64 * MiB);
  await disk.write(await readFile(part), 0, undefined, 8 * MiB);
  await disk.close();
  const table =
    "label: gpt\nstart=2048, size=8192, type=21686148-6449-6E6F-744E-656564454649\nstart=16384, size=98304, type=L\n";
  execFileSync("sfdisk", ["--quiet", path], { input: table });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "garrison-image-mount-"));
  url = pathToFileURL(join(root, "repository")).href;
  await buildDisk(join(root, "disk.img"));
  await run("repository", "init", url);
  await run("image", "backup", join(root, "disk.img"), "--name", "disk", "--repository", url);
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function mounted(words: readonly string[], look: (shown: { path: string }) => Promise<void>) {
  const child = spawn(garrison, ["image", "mount", ...words, "--repository", url, "--json"], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), closed])) as [
    string,
  ];
  try {
    await look(JSON.parse(line) as { path: string });
  } finally {
    child.kill("SIGINT");
  }
  return closed;
}

describe("a mounted restore point", () => {
  test("shows its files, can't be written, and leaves nothing behind", async () => {
    const folder = join(root, "files");
    if (!isRoot) {
      await expect(run("image", "mount", "disk", folder, "--repository", url)).rejects.toMatchObject({
        code: 2,
      });
      return;
    }
    const [code] = await mounted(["disk", folder], async (shown) => {
      expect(shown).toMatchObject({ fileSystem: "ext4", partition: 2, path: folder });
      expect(await readFile(join(folder, "docs", "letter.txt"), "utf8")).toBe("dear reader");
      expect((await readFile(join(folder, "big.bin"))).equals(Buffer.alloc(5 * MiB, "garrison "))).toBe(true);
      await expect(writeFile(join(folder, "new"), "x")).rejects.toMatchObject({ code: "EROFS" });
    });
    expect(code).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    expect(execFileSync("losetup", ["--all"], { encoding: "utf8" })).not.toContain("garrison-mount-");
  });

  test("shows the disk itself as one file with --raw", async () => {
    if (!existsSync("/dev/fuse")) return;
    const folder = join(root, "raw");
    await mounted(["disk", folder, "--raw"], async ({ path }) => {
      expect((await readFile(path)).equals(await readFile(join(root, "disk.img")))).toBe(true);
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("names the partitions when the one asked for is not there", async () => {
    if (!isRoot) return;
    const words = ["image", "mount", "disk", join(root, "third"), "--repository", url, "--partition", "3"];
    await expect(run(...words)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("1 (bios-boot, 4 MiB); 2 (linux, 48 MiB)") as unknown,
    });
  });
});

describe("the difference of two restore points", () => {
  test("is what a backup with --changed needs", async () => {
    const image = join(root, "disk.img");
    const before = JSON.parse((await run("image", "list", "--repository", url, "--json")).stdout) as {
      points: { sessionId: string }[];
    };
    const disk = await open(image, "r+");
    await disk.write(Buffer.alloc(100, 7), 0, 100, 9 * MiB);
    await disk.write(Buffer.alloc(100, 7), 0, 100, 40 * MiB);
    await disk.close();
    await run("image", "backup", image, "--name", "disk", "--repository", url);
    const { stdout } = await run("image", "diff", before.points[0]!.sessionId, "disk", "--repository", url);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { offset: 9 * MiB, length: 512 * 1024 },
      { offset: 40 * MiB, length: 512 * 1024 },
    ]);
  });
});
