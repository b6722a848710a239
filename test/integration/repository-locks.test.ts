import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateBucketCommand, DeleteObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { repositoryWritePolicy } from "@garrison/aws/session-policies";
import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import { dayMs } from "@garrison/core/units";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { backupVolumes } from "@garrison/repository/backup/backup-volumes";
import { openFileBlockSource } from "@garrison/repository/disk/file-block-source";
import { openRepository } from "@garrison/repository/keys/open-repository";
import { newLaneId, newSessionId } from "@garrison/repository/point/session-id";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";

const garrison = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const region = "eu-central-1";
const account = "111111111111";
const bucket = "locked-repository";
const prefix = "main";
const password = "correct horse";
const call = { signal: new AbortController().signal };
const dependencies = { clock: systemClock, random: systemRandom };
let folder: string;
let lab: RunningLab;
let owner: AwsClients;
let url: string;
let image: string;

const open = (keys: { accessKeyId: string; secretAccessKey: string }) =>
  openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => keys });

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[]): Promise<Outcome> {
  const keys = lab.operators[account]!;
  const env = {
    ...process.env,
    GARRISON_PASSWORD: password,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", garrison, ...words],
      { env },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}

async function runJson(words: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { exitCode, stdout, stderr } = await run([...words, "--json"]);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-locks-"));
  lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo" });
  owner = open(lab.operators[account]!);
  const location = { CreateBucketConfiguration: { LocationConstraint: region } } as const;
  await owner
    .s3()
    .send(new CreateBucketCommand({ Bucket: bucket, ...location, ObjectLockEnabledForBucket: true }));
  url = `s3://${bucket}/${prefix}?region=${region}&endpoint=${encodeURIComponent(lab.endpoint)}`;
  image = join(folder, "disk.img");
  await writeFile(image, randomBytes(3 * 1024 * 1024));
  expect((await run(["repository", "init", url])).exitCode).toBe(0);
});

afterAll(async () => {
  owner.close();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A user with exactly what a worker is lent for one session. */
async function openWriter(sessionId: string, domain: string): Promise<AwsClients> {
  const iam = new IAMClient({ endpoint: lab.endpoint, region, credentials: lab.operators[account]! });
  const policy = repositoryWritePolicy({
    partition: "aws",
    bucket,
    prefix,
    domain,
    sessionId,
    lockDays: 40,
  });
  await iam.send(new CreateUserCommand({ UserName: "writer" }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "writer",
      PolicyName: "own",
      PolicyDocument: JSON.stringify(policy),
    }),
  );
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "writer" }));
  iam.destroy();
  return open({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! });
}

test("a writer that may create, read and list, and nothing else, does a whole locked backup", async () => {
  const domain = "append-only";
  const versions = { lockMode: "governance" } as const;
  const opened = openS3ObjectStore({ clients: owner, bucket, prefix });
  const repository = await openRepository({ store: opened }, { password }, call);
  const sessionId = newSessionId(dependencies);
  const clients = await openWriter(sessionId, domain);
  const plain = openS3ObjectStore({ clients, bucket, prefix, versions });
  const source = await openFileBlockSource({ path: image });
  const { epoch } = repository;
  const plan = {
    grant: {
      sessionId,
      laneId: newLaneId(systemRandom),
      epoch,
      dataKey: repository.sessionDataKey(domain, sessionId, epoch),
    },
    series: "disk",
    threads: 0,
    volumes: [{ volumeId: "image", source }],
    description: {},
    promisedUntilMs: systemClock.now() + 5 * dayMs,
  };
  const writing = {
    ...dependencies,
    logger: silentLogger,
    store: openRetryingObjectStore(dependencies, plain),
    keys: repository.domainKeys(domain),
  };
  const summary = await backupVolumes(writing, plan, call);
  await source.close();
  expect(summary.point).toBe(sessionId);
  const names: string[] = [];
  for await (const { key } of opened.list(`${domain}/`, call)) names.push(key);
  const [pack] = names.filter((key) => key.includes("/pack/"));
  await expect(plain.delete(pack!, call)).rejects.toMatchObject({ code: "store-access-denied" });
  const century = { ...call, retainUntilMs: systemClock.now() + 36_500 * dayMs };
  const rubbish = plain.create(`${domain}/pack/${sessionId}/rubbish`, Buffer.from("x"), century);
  await expect(rubbish).rejects.toMatchObject({ code: "store-access-denied" });
  clients.close();
  const target = join(folder, "append-only.img");
  const words = ["--repository", url, "--domain", domain, "--target", target];
  expect((await run(["image", "restore", sessionId, ...words])).exitCode).toBe(0);
  expect(Buffer.compare(await readFile(target), await readFile(image))).toBe(0);
});

test("the command promises, shows and prolongs; a deletion by a stranger hides nothing", async () => {
  const backup = ["image", "backup", image, "--repository", url, "--name", "disk"];
  const first = await runJson([...backup, "--keep-locked", "10d"]);
  const locks = ["repository", "locks", url, "--domain", "local"];
  const before = await runJson(locks);
  expect(before).toMatchObject({
    domains: [{ domain: "local", unpromised: 0, due: { sessions: 0 }, points: [{ point: first["point"] }] }],
  });
  await runJson([...backup, "--keep-locked", "100d"]);
  expect((await run(locks)).exitCode).toBe(1);
  await runJson([...locks, "--extend"]);
  expect((await run(locks)).stdout).not.toContain("too short");
  const page = await owner
    .s3()
    .send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${prefix}/local/` }));
  for (const { Key } of page.Versions ?? [])
    await owner.s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: Key! }));
  const checked = await runJson(["repository", "check", url, "--domain", "local", "--level", "full"]);
  expect(checked).toMatchObject({ verdict: "intact" });
  expect(checked["findings"]).toContainEqual(
    expect.objectContaining({ code: "shadowed", severity: "notice" }),
  );
  const target = join(folder, "hidden.img");
  expect((await run(["image", "restore", "disk", "--repository", url, "--target", target])).exitCode).toBe(0);
  expect(Buffer.compare(await readFile(target), await readFile(image))).toBe(0);
});

test("the end of a promised point is refused by its id and put off by rules, both with the date", async () => {
  const words = ["--repository", url, "--name", "kept"];
  const backUp = async (...more: string[]) =>
    String((await runJson(["image", "backup", image, ...words, ...more]))["point"]);
  const [promised, free] = [await backUp("--keep-locked", "10d"), await backUp()];
  await backUp();
  const day = new Date(systemClock.now() + 10 * dayMs).toISOString().slice(0, 10);
  const byId = await run(["image", "expire", promised, "--repository", url]);
  expect(byId.exitCode).toBe(1);
  expect(byId.stdout).toMatch(new RegExp(`${promised} .* hold .*held until ${day}`));
  expect(byId.stderr).toContain(`restore point ${promised} is held until ${day}`);
  const byRules = await run(["image", "expire", "kept", "--repository", url, "--keep-last", "1"]);
  expect(byRules.exitCode).toBe(0);
  expect(byRules.stdout).toContain("Ended 1 restore points. A prune frees their space. 1 more are held");
  const { stdout } = await run(["image", "list", ...words]);
  expect(stdout).toContain(promised);
  expect(stdout).not.toContain(free);
});

test("a promise that a store can't keep is refused", async () => {
  const plain = `file://${join(folder, "plain")}`;
  expect((await run(["repository", "init", plain])).exitCode).toBe(0);
  const words = ["image", "backup", image, "--repository", plain, "--name", "disk", "--keep-locked", "10d"];
  const { exitCode, stderr } = await run(words);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("can't lock");
});
