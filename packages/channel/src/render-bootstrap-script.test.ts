import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@garrison/core/random";
import { afterAll, describe, expect, test } from "vitest";
import { newIdentity, publicKeysOf } from "./peer-identity.ts";
import { renderBootstrapScript, type BootstrapRequest } from "./render-bootstrap-script.ts";
import { workerConfigSchema } from "./worker-config.ts";

const root = mkdtempSync(join(tmpdir(), "garrison-bootstrap-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A bundle whose "node" is a shell script: what the bootstrap does with it can be seen without a runtime. */
function makeBundle(): { readonly path: string; readonly sha256: string } {
  const folder = join(root, "bundle");
  mkdirSync(folder);
  const node =
    '#!/bin/sh\ncase "$2" in keygen) echo "keys of $3";; run) echo "ran $3" >> ran; sleep 1;; esac\n';
  writeFileSync(join(folder, "node"), node);
  chmodSync(join(folder, "node"), 0o755);
  writeFileSync(join(folder, "worker.mjs"), "");
  const path = join(root, "bundle.tar.gz");
  execFileSync("tar", ["-czf", path, "-C", folder, "node", "worker.mjs"]);
  return { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

const bundle = makeBundle();
const request: BootstrapRequest = {
  bundleUrl: `file://${bundle.path}`,
  bundleSha256: bundle.sha256,
  installation: "0a1b2c3d",
  worker: "d4c3b2a1",
  run: "run-1",
  region: "eu-central-1",
  appliance: publicKeysOf(newIdentity(seededRandom(1))),
  deadlineMs: Date.UTC(2100, 0, 1),
};

function runScript(name: string, changes: Partial<BootstrapRequest>) {
  const folder = join(root, name);
  const stubs = join(root, "stubs");
  mkdirSync(stubs, { recursive: true });
  // The instance's own end must not be this machine's.
  writeFileSync(join(stubs, "shutdown"), `#!/bin/sh\necho "shutdown $*" >> "${folder}/log"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(stubs, "systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  writeFileSync(join(stubs, "sleep"), '#!/bin/sh\n[ "$1" = 1 ] && exit 0\nexit 0\n', { mode: 0o755 });
  const path = join(root, `${name}.sh`);
  writeFileSync(path, renderBootstrapScript({ ...request, ...changes }));
  const env = { PATH: `${stubs}:/usr/bin:/bin`, GARRISON_WORKER_FOLDER: folder };
  return { folder: join(folder, "d4c3b2a1"), ...spawnSync("sh", [path], { env, encoding: "utf8" }) };
}

describe("the bootstrap script", () => {
  test("installs the verified bundle, writes the configuration, prints the keys and leaves the worker running", async () => {
    const { folder, status, stdout, stderr } = runScript("good", {});
    expect(stderr).toBe("");
    expect({ status, stdout }).toEqual({ status: 0, stdout: `keys of ${folder}\n` });
    const config = workerConfigSchema.parse(JSON.parse(readFileSync(join(folder, "worker.json"), "utf8")));
    expect(config).toMatchObject({
      worker: "d4c3b2a1",
      queuePrefix: "garrison-0a1b2c3d-d4c3b2a1",
      silenceMs: 300_000,
    });
    await expect.poll(() => existsSync(join(root, "good", "log")), { timeout: 10_000 }).toBe(true);
    expect(readFileSync(join(folder, "ran"), "utf8")).toBe(`ran ${folder}\n`);
    expect(readFileSync(join(root, "good", "log"), "utf8")).toBe("shutdown -h now\n");
  });

  test("can be run again: the same keys, still one worker", async () => {
    const first = runScript("twice", {});
    const second = runScript("twice", {});
    expect(second.stdout).toBe(first.stdout);
    await expect.poll(() => existsSync(join(root, "twice", "log")), { timeout: 10_000 }).toBe(true);
    expect(readFileSync(join(first.folder, "ran"), "utf8")).toBe(`ran ${first.folder}\n`);
  });

  test("refuses a bundle whose bytes are others", () => {
    const { status, stderr, stdout, folder } = runScript("other", { bundleSha256: "0".repeat(64) });
    expect(status).toBe(1);
    expect(stderr).toContain("its SHA-256 is not 000000");
    expect(stdout).toBe("");
    expect(existsSync(join(folder, "worker.json"))).toBe(false);
  });

  test("says so when the bundle can't be fetched", () => {
    const { status, stderr } = runScript("absent", { bundleUrl: "file:///nowhere/bundle.tar.gz" });
    expect(status).toBe(1);
    expect(stderr).toContain("the bundle can't be fetched");
  });

  test("takes quotes and dollars in the address as they are", () => {
    const text = renderBootstrapScript({ ...request, bundleUrl: "https://s3/x?a=1&b=$(id)'`id`" });
    expect(text).toContain(`url='https://s3/x?a=1&b=$(id)%27`);
  });

  test.each([
    ["a worker's name with a quote in it", { worker: "a'b" }],
    ["a hash that is none", { bundleSha256: "abc" }],
    ["an address that is none", { bundleUrl: "nowhere" }],
    ["a run's name with a line break", { run: "a\nCONFIG\nid" }],
  ])("is not written with %s", (_, changes) => {
    expect(() => renderBootstrapScript({ ...request, ...changes })).toThrow(
      expect.objectContaining({ code: "usage" }),
    );
  });

  test("is plain POSIX shell", () => {
    const { status, stderr } = spawnSync("sh", ["-n", "-c", renderBootstrapScript(request)], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
