import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { newIdentity, publicKeysOf } from "@garrison/channel/peer-identity";
import { parseAnnouncement } from "@garrison/channel/worker-announcement";
import { seededRandom } from "@garrison/core/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildWorkerBundle, type WorkerBundle } from "./build-worker-bundle.ts";

const root = mkdtempSync(join(tmpdir(), "garrison-bundle-"));
const cacheDir = join(root, "cache");
const unpacked = join(root, "unpacked");
const { signal } = new AbortController();
const architecture = arch() === "arm64" ? "arm64" : "x64";
const build = () => buildWorkerBundle({ cacheDir, architecture }, { signal });

/** Runs the bundled worker with nothing but itself: no environment, another folder. */
function runBundled(...args: readonly string[]) {
  const program = [join(unpacked, "node"), join(unpacked, "worker.mjs")] as const;
  return spawnSync(program[0], [program[1], ...args], { env: {}, cwd: "/", encoding: "utf8" });
}

describe("the worker's bundle", () => {
  let bundle: WorkerBundle;
  beforeAll(async () => {
    bundle = await build();
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", bundle.path, "-C", unpacked]);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("is named by its content and described truly", () => {
    expect(createHash("sha256").update(readFileSync(bundle.path)).digest("hex")).toBe(bundle.sha256);
    expect(statSync(bundle.path).size).toBe(bundle.sizeBytes);
  });

  test("is built once", async () => {
    const before = statSync(bundle.path).mtimeMs;
    expect(await build()).toEqual(bundle);
    expect(statSync(bundle.path).mtimeMs).toBe(before);
  });

  test("holds the runtime, the worker and the engine's thread, and no source file beside them", () => {
    const names = execFileSync("tar", ["-tzf", bundle.path], { encoding: "utf8" }).trim().split("\n");
    expect(names.sort()).toEqual(["block-thread.mjs", "node", "worker.mjs"]);
  });

  test("makes and announces the worker's keys with nothing installed around it, the same ones each time", () => {
    const folder = join(root, "worker");
    mkdirSync(folder);
    const config = {
      installation: "0a1b2c3d",
      worker: "d4c3b2a1",
      run: "run-1",
      region: "eu-central-1",
      queuePrefix: "garrison-0a1b2c3d-d4c3b2a1",
      appliance: publicKeysOf(newIdentity(seededRandom(1))),
      deadlineMs: 1,
      silenceMs: 1,
      blockCallsPerSecond: 1,
    };
    writeFileSync(join(folder, "worker.json"), JSON.stringify(config));
    const [first, second] = [runBundled("keygen", folder), runBundled("keygen", folder)];
    expect(first.stderr).toBe("");
    const keys = parseAnnouncement(first.stdout, "d4c3b2a1");
    expect(parseAnnouncement(second.stdout, "d4c3b2a1")).toEqual(keys);
  });

  test("says what is wrong with its configuration, or how it is called", () => {
    const nowhere = runBundled("run", join(root, "nowhere"));
    expect(nowhere.status).toBe(1);
    expect(nowhere.stdout).toContain("worker-config-invalid");
    expect(runBundled().status).toBe(2);
  });
});
