import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKmsKeyWrapper } from "@garrison/aws/kms-key-wrapper";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const region = "eu-central-1";
const call = { signal: new AbortController().signal };
let folder: string;
let lab: RunningLab;
let image: string;
let used = 0;

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command with no secret but those given. */
function run(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<Outcome> {
  const { GARRISON_PASSWORD: _, ...inherited } = process.env;
  const env = { ...inherited, ...awsEnvironment(), ...environment };
  return new Promise((resolve) => {
    const child = execFile(garrison, words, { env }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.end();
  });
}

function awsEnvironment(account = "111111111111"): Record<string, string> {
  const keys = lab.operators[account]!;
  return {
    AWS_ENDPOINT_URL: lab.endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_REGION: region,
  };
}

async function runJson(words: readonly string[], environment: Readonly<Record<string, string>>) {
  const { exitCode, stdout, stderr } = await run([...words, "--json"], environment);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const newUrl = () => pathToFileURL(join(folder, `repository-${used++}`)).href;
const password = (word: string) => ({ GARRISON_PASSWORD: word });
const backUp = (url: string, environment: Readonly<Record<string, string>>) =>
  run(["image", "backup", image, "--repository", url, "--name", "disk"], environment);

async function restored(url: string, environment: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const target = join(folder, `restored-${used++}`);
  const words = ["image", "restore", "disk", "--repository", url, "--target", target];
  const { exitCode, stderr } = await run(words, environment);
  expect(exitCode, stderr).toBe(0);
  return readFile(target);
}

async function newKey(): Promise<string> {
  const credentials = lab.operators["111111111111"]!;
  const client = new KMSClient({ region, endpoint: lab.endpoint, credentials });
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
  client.destroy();
  return KeyMetadata!.Arn!;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-keys-"));
  lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo" });
  image = join(folder, "disk.img");
  await writeFile(image, Buffer.alloc(600_000, "content"));
});
afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("passwords of a repository", () => {
  test("are added, changed and rotated, and what was made before stays readable", async () => {
    const url = newUrl();
    await runJson(["repository", "init", url], password("one"));
    expect((await backUp(url, password("one"))).exitCode).toBe(0);
    const add = ["repository", "keys", url, "add", "--label", "operations"];
    const { added } = await runJson(add, { ...password("one"), GARRISON_NEW_PASSWORD: "two" });
    const change = ["repository", "keys", url, "change-password"];
    const changed = await runJson(change, { ...password("one"), GARRISON_NEW_PASSWORD: "three" });
    expect(changed).toMatchObject({ note: expect.stringContaining("Nothing is taken back") });
    expect(await backUp(url, password("one"))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("repository-password-wrong"),
    });

    const rotate = ["repository", "keys", url, "rotate"];
    const refused = await run(rotate, password("three"));
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(String(added)) });
    const second = join(folder, "second.txt");
    await writeFile(second, "two\n");
    const whole = [...rotate, "--also-password-file", second];
    expect(await runJson(whole, password("three"))).toMatchObject({ epoch: 2, outdated: [] });

    expect((await backUp(url, password("two"))).exitCode).toBe(0);
    expect(await restored(url, password("three"))).toEqual(await readFile(image));
  }, 300_000);

  test("are listed with their labels and removed one by one, but never the last", async () => {
    const url = newUrl();
    await runJson(["repository", "init", url], password("three"));
    const add = ["repository", "keys", url, "add", "--label", "operations"];
    await runJson(add, { ...password("three"), GARRISON_NEW_PASSWORD: "two" });
    const { keys } = (await runJson(["repository", "keys", url], password("three"))) as {
      readonly keys: readonly { readonly wrapId: string; readonly label?: string }[];
    };
    expect(keys).toHaveLength(2);
    const operations = keys.find(({ label }) => label === "operations")!;
    const remove = ["repository", "keys", url, "remove", operations.wrapId];
    expect(await runJson(remove, password("three"))).toMatchObject({ removed: [{ outcome: "deleted" }] });
    const last = keys.find(({ label }) => label !== "operations")!;
    expect(await run([...remove.slice(0, -1), last.wrapId], password("three"))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("key-last"),
    });
  }, 300_000);

  test("are never taken from the command line, and a wrong action has a name", async () => {
    const url = newUrl();
    await runJson(["repository", "init", url], password("one"));
    const add = await run(["repository", "keys", url, "add"], password("one"));
    expect(add).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("GARRISON_NEW_PASSWORD") });
    const wrong = await run(["repository", "keys", url, "revoke"], password("one"));
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("revoke is none of list") });
  });
});

test("an escrow sheet opens a repository whose key objects are all lost, and sets a new password", async () => {
  const url = newUrl();
  const sheet = join(folder, "sheet.txt");
  await runJson(["repository", "init", url, "--escrow-file", sheet], password("one"));
  expect((await stat(sheet)).mode & 0o777).toBe(0o600);
  expect((await backUp(url, password("one"))).exitCode).toBe(0);
  expect(await restored(url, { GARRISON_ESCROW_SHEET: sheet })).toEqual(await readFile(image));
  await rm(join(fileURLToPath(url), "key"), { recursive: true });
  await rm(join(fileURLToPath(url), "garrison"));
  expect(await backUp(url, password("one"))).toMatchObject({
    stderr: expect.stringContaining("repository-missing"),
  });
  const imported = ["repository", "keys", url, "import", "--sheet", sheet];
  await runJson(imported, { GARRISON_NEW_PASSWORD: "two" });
  expect(await restored(url, password("two"))).toEqual(await readFile(image));
  const again = await run(["repository", "init", newUrl(), "--escrow-file", sheet], password("one"));
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("must be new") });
});

describe("KMS keys", () => {
  test("open a repository without any password, and are rotated with it", async () => {
    const url = newUrl();
    const keyId = await newKey();
    await runJson(["repository", "init", url, "--kms-key", keyId], {});
    expect((await backUp(url, { GARRISON_KMS: "1" })).exitCode).toBe(0);
    expect(await runJson(["repository", "keys", url, "rotate", "--kms"], {})).toMatchObject({ epoch: 2 });
    expect(await restored(url, { GARRISON_KMS: "1" })).toEqual(await readFile(image));
    const { keys } = await runJson(["repository", "keys", url, "--kms"], {});
    expect(keys).toMatchObject([{ kind: "kms", keyId, state: "current", epochs: 2 }]);
    const stranger = { ...awsEnvironment("222222222222"), GARRISON_KMS: "1" };
    const refused = await run(["repository", "status", url], stranger);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("aws-access-denied") });
  });

  test("seal a secret for one repository only", async () => {
    const credentials = async () => lab.operators["111111111111"]!;
    using wrapper = openKmsKeyWrapper({ region, endpoint: lab.endpoint, credentials });
    const keyId = await newKey();
    const bytes = new Uint8Array(32).fill(7);
    const wrapped = await wrapper.wrap({ keyId, bytes }, { repositoryId: "aa" }, call);
    expect(wrapped.keyId).toBe(keyId);
    expect(await wrapper.unwrap(wrapped, { repositoryId: "aa" }, call)).toEqual(bytes);
    const elsewhere = wrapper.unwrap(wrapped, { repositoryId: "bb" }, call);
    await expect(elsewhere).rejects.toMatchObject({ code: "object-damaged" });
    const other = wrapper.unwrap({ ...wrapped, keyId: await newKey() }, { repositoryId: "aa" }, call);
    await expect(other).rejects.toMatchObject({ code: "object-damaged" });
  });
});
