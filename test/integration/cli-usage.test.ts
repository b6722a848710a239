import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-usage-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const { GARRISON_URL: _url, GARRISON_TOKEN: _token, ...inherited } = process.env;
  const env = { ...inherited, GARRISON_DATA: folder, ...more };
  return new Promise((resolve) => {
    const child = execFile(garrison, words, { env }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

describe("a command line that is wrong", () => {
  test.each([
    ["an unknown noun", ["nonsense"], "unknown command 'nonsense'"],
    ["an unknown verb", ["image", "nonsense"], "unknown command 'nonsense'"],
    ["a missing argument", ["roles", "export"], "missing required argument 'role'"],
    ["a missing option", ["image", "backup", "x"], "required option '--repository <url>' not specified"],
    ["an unknown option", ["roles", "list", "--bogus"], "unknown option '--bogus'"],
    ["a port that is none", ["serve", "--port", "abc"], "--port is abc; it takes 0 to 65535"],
    ["a seed that is none", ["lab", "start", "--seed", "x"], "--seed is x; it takes demo or none"],
    ["an ARN that is none", ["roles", "check", "x", "--region", "x"], "x is not the ARN of a role"],
    [
      "the appliance's own role",
      ["roles", "check", "arn:aws:iam::111111111111:role/garrison-appliance", "--region", "x"],
      "arn:aws:iam::111111111111:role/garrison-appliance is the appliance's own role",
    ],
    [
      "an empty name",
      ["image", "backup", "x", "--repository", "file:///nowhere", "--name", ""],
      "--name is empty",
    ],
  ])("with %s is refused with a code and exit code 2", async (_what, words, message) => {
    const { exitCode, stdout, stderr } = await run(words);
    expect(stderr.split("\n")[0]).toContain(`garrison: usage: ${message}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  test("is one JSON object with --json", async () => {
    const { exitCode, stdout } = await run(["image", "backup", "--json"]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "usage" } });
  });

  test("names an appliance's address that is none", async () => {
    const { exitCode, stderr } = await run(["runs", "list"], {
      GARRISON_URL: "nonsense",
      GARRISON_TOKEN: "x",
    });
    expect(stderr).toContain("connection-unknown: the appliance's address nonsense is not http://host:port");
    expect(exitCode).toBe(2);
  });
});

test("help can be asked for in words, with examples", async () => {
  const { exitCode, stdout } = await run(["help", "image", "backup"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Examples:\n  garrison image backup disk.img");
});

test("a reader that goes away is no failure", async () => {
  const child = spawn(garrison, ["roles", "list", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

test("a lab whose folder is a file, or is used, says so at once", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  const refused = await run(["lab", "start", "--port", "0", "--data", file]);
  expect(refused.stderr).toContain(`usage: the folder ${file} can't be made`);
  const words = ["lab", "start", "--port", "0", "--data", join(folder, "lab")];
  const first = spawn(garrison, words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(first.stdout, "data");
  const second = await run(words);
  expect(second.stderr).toContain("garrison: lab-folder-in-use: ");
  expect(second.exitCode).toBe(2);
  first.kill("SIGTERM");
  expect(await once(first, "close")).toEqual([0, null]);
});
