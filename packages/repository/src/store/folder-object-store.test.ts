import { execFileSync, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { randomBelow, seededRandom } from "@garrison/core/random";
import { openFolderObjectStore } from "./folder-object-store.ts";
import { contentOf } from "./testing/folder-writer.ts";

const call = { signal: new AbortController().signal };
const writer = join(import.meta.dirname, "testing/folder-writer.ts");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-folder-"));
});

afterEach(async () => {
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true });
});

const temporaries = () => readdir(join(folder, ".garrison-tmp"));

/** Starts the writer and kills it when it has acknowledged so many creations; answers their keys. */
function writeUntilKilled(prefix: string, acknowledgements: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [writer, folder, prefix, "100000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const keys: string[] = [];
    createInterface(child.stdout).on("line", (key) => {
      if (keys.push(key) === acknowledgements) child.kill("SIGKILL");
    });
    child.on("error", reject);
    child.on("close", (_, signal) =>
      signal === "SIGKILL" ? resolve(keys) : reject(new Error(`the writer ended by itself: ${keys.at(-1)}`)),
    );
  });
}

test("whenever its process is killed, no object is partial and no acknowledged one is lost", async () => {
  const random = seededRandom("kills");
  const acknowledged: string[] = [];
  const kills = 12;
  for (let kill = 0; kill < kills; kill++)
    acknowledged.push(...(await writeUntilKilled(`kill-${kill}`, 1 + randomBelow(random, 40))));
  const store = openFolderObjectStore({ folder });
  const found = new Set<string>();
  for await (const { key } of store.list("", call)) {
    found.add(key);
    expect(Buffer.compare(await store.read(key, call), contentOf(key)), key).toBe(0);
  }
  expect(acknowledged.filter((key) => !found.has(key))).toEqual([]);
  // Some kills must have struck in the middle of a creation, or the test would show nothing.
  expect((await temporaries()).length).toBeGreaterThan(kills);
}, 600_000);

test("what a killed process left behind is removed when it is old, and only then", async () => {
  await openFolderObjectStore({ folder }).create("a", Buffer.from("x"), call);
  for (const [name, ageHours] of [
    ["old", 25],
    ["fresh", 23],
  ] as const) {
    const path = join(folder, ".garrison-tmp", name);
    await writeFile(path, "half an obj");
    const { mtimeMs } = await stat(path);
    const changed = new Date(mtimeMs - ageHours * 3_600_000);
    await utimes(path, changed, changed);
  }
  const store = openFolderObjectStore({ folder });
  for await (const object of store.list("", call)) expect(object.key).toBe("a");
  expect(await temporaries()).toEqual(["fresh", "old"]);
  await store.create("b", Buffer.from("x"), call);
  expect(await temporaries()).toEqual(["fresh"]);
});

test("objects are not writable and nothing temporary stays", async () => {
  const store = openFolderObjectStore({ folder });
  await store.create("d/object", Buffer.from("x"), call);
  expect(await store.create("d/object", Buffer.from("y"), call)).toBe("exists");
  expect(await temporaries()).toEqual([]);
  expect((await stat(join(folder, "d/object"))).mode & 0o222).toBe(0);
});

test("names that leave the folder, or that the store keeps for itself, are refused", async () => {
  const store = openFolderObjectStore({ folder });
  for (const key of ["../x", "a/../../x", "/x", "a//b", "a\0b", "", ".", "a/.", ".garrison-tmp/x"]) {
    await expect(store.create(key, Buffer.from("x"), call)).rejects.toMatchObject({ code: "usage" });
  }
});

/** Whether this machine lets us mount a small disk, as root or in a name space of our own. */
const privateMounts = ["--map-root-user", "--mount"];
const canMount = (() => {
  try {
    execFileSync("unshare", [...privateMounts, "sh", "-c", `mount -t tmpfs -o size=1m none ${tmpdir()}`]);
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!canMount)("a full disk is store-full, and leaves nothing partial", () => {
  const script = [
    `mount -t tmpfs -o size=4m none ${folder}`,
    `${process.execPath} ${writer} ${folder} full 1000`,
    `echo --`,
    `cd ${folder} && find . -type f | sort | while read -r f; do echo "$f $(stat -c %s "$f")"; done`,
  ].join(" && ");
  const output = execFileSync("unshare", [...privateMounts, "sh", "-c", script], { encoding: "utf8" });
  const [printed, files] = output.split("--\n").map((part) => part.trim().split("\n")) as [
    string[],
    string[],
  ];
  expect(printed.filter((line) => line === "store-full")).toHaveLength(1);
  const sizes = new Map(files.map((line) => [line.split(" ")[0]!.slice(2), Number(line.split(" ")[1])]));
  for (const [key, sizeBytes] of sizes) expect(sizeBytes, key).toBe(contentOf(key).length);
  for (const key of printed.filter((line) => line.startsWith("full/")))
    expect(sizes.has(key), key).toBe(true);
});
