import { hash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteSnapshotCommand,
  EBSClient,
  ListSnapshotBlocksCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { SdkCredentials } from "@garrison/aws/aws-credentials";
import type { BlockClient, BlockRead, BlockWrite } from "@garrison/aws/ebs/block-client";
import { resolveBlockEndpoint } from "@garrison/aws/ebs/block-endpoint";
import { openBlockClient } from "@garrison/aws/ebs/open-block-client";
import { openBlockPace } from "@garrison/aws/ebs/block-pace";
import { openEbsSnapshotSource } from "@garrison/aws/ebs-snapshot-source";
import { openEbsSnapshotTarget } from "@garrison/aws/ebs-snapshot-target";
import { requestHandler } from "@garrison/aws/request-handler";
import { systemClock } from "@garrison/core/clock";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { seededRandom, systemRandom } from "@garrison/core/random";
import type { FaultKind } from "@garrison/lab/wire/faults";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import type { BlockReference } from "@garrison/repository/disk/block-source";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { putRole } from "./lab-ec2-roles.ts";
import { openSdkBlockClient } from "./sdk-block-client.ts";

const blockBytes = 512 * 1024;
const production = "222222222222";
const region = "eu-central-1";
/** Far beyond what a busy machine takes, except where silence is what is tried. */
const patienceMs = 60_000;
const impatienceMs = 300;
const { signal } = new AbortController();

interface Line {
  readonly endpoint: string;
  readonly credentials: SdkCredentials;
  /** By how much the client's clock is ahead. */
  readonly skewMs?: number;
  /** How long it waits for a server that is silent. */
  readonly silenceMs?: number;
}

type OpenClient = (line: Line) => BlockClient;

const openSdk: OpenClient = ({ endpoint, credentials, skewMs = 0, silenceMs = patienceMs }) => {
  const settings = {
    region,
    endpoint,
    credentials,
    maxAttempts: 1,
    requestHandler: requestHandler(8, silenceMs),
  };
  return openSdkBlockClient(new EBSClient({ ...settings, systemClockOffset: skewMs }));
};

const openOurs: OpenClient = ({ endpoint, credentials, skewMs = 0, silenceMs = patienceMs }) =>
  openBlockClient({
    clock: { ...systemClock, now: () => systemClock.now() + skewMs },
    endpoint: () => resolveBlockEndpoint(new EBSClient({ region, endpoint })),
    credentials: async () => credentials,
    limits: { silenceMs },
  });

let running: RunningLab;
let dataDir: string;
let ebs: EBSClient;
let snapshotId: string;
let blocks: readonly BlockRead[];
const contents = Array.from({ length: 12 }, () => randomBytes(blockBytes));

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-blocks-"));
  running = await startLab({ dataDir, seed: "demo", ec2: { snapshotMs: 5, emptyPageShare: 0 } });
  const credentials = running.operators[production]!;
  ebs = new EBSClient({ region, endpoint: running.endpoint, credentials });
  snapshotId = await startSnapshot();
  const writer = openOurs(lineOf(running));
  for (const [index, bytes] of contents.entries()) await writer.put(blockOf(index, bytes), { signal });
  writer.close();
  await completeSnapshot(snapshotId, contents.length);
  blocks = await listBlocks(snapshotId);
});

afterAll(async () => {
  ebs.destroy();
  await running.stop();
  await rm(dataDir, { recursive: true });
});

afterEach(() => running.lab.faults.clear());

function lineOf(lab: RunningLab, change: Partial<Line> = {}): Line {
  return { endpoint: lab.endpoint, credentials: lab.operators[production]!, ...change };
}

function blockOf(index: number, bytes: Uint8Array, of = snapshotId): BlockWrite {
  return { snapshotId: of, index, bytes, sha256: hash("sha256", bytes, "buffer") };
}

async function startSnapshot(): Promise<string> {
  return (await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }))).SnapshotId!;
}

async function completeSnapshot(id: string, blockCount: number): Promise<void> {
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: blockCount }));
  while (running.lab.ec2.tables.snapshots.get(id)?.state !== "completed") await systemClock.sleep(5, signal);
}

async function listBlocks(id: string): Promise<readonly BlockRead[]> {
  const page = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  return page.Blocks!.map(({ BlockIndex: index, BlockToken: token }) => ({
    snapshotId: id,
    index: index!,
    token,
  }));
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "no failure",
    (error: unknown) => error,
  );
}

describe.each([
  ["the SDK", openSdk],
  ["our own client", openOurs],
])("a block by %s", (_, open) => {
  let client: BlockClient;
  beforeAll(() => {
    client = open(lineOf(running));
  });
  afterAll(() => client.close());

  const read = (place = 0, call = { signal }) => client.get(blocks[place]!, call);
  const plan = (operation: string, fault: FaultKind, latencyMs?: number) =>
    running.lab.faults.add({ service: "ebs", operation, fault, count: 1, ...(latencyMs && { latencyMs }) });
  const fired = () => running.lab.faults.list().map(({ hits }) => hits);

  test("is read with its checksum", async () => {
    for (const [place, bytes] of contents.entries()) {
      const found = await read(place);
      expect(bytes.equals(found.bytes)).toBe(true);
      expect(Buffer.from(found.sha256).equals(hash("sha256", bytes, "buffer"))).toBe(true);
    }
  });

  test("is read while others are", async () => {
    const found = await Promise.all(Array.from({ length: 40 }, (_, call) => read(call % contents.length)));
    for (const [call, { bytes }] of found.entries())
      expect(contents[call % contents.length]!.equals(bytes)).toBe(true);
  });

  test("is written, and reads as it was written", async () => {
    const id = await startSnapshot();
    const bytes = randomBytes(blockBytes);
    await client.put(blockOf(7, bytes, id), { signal });
    await completeSnapshot(id, 1);
    const [written] = await listBlocks(id);
    expect(written!.index).toBe(7);
    expect(bytes.equals((await client.get(written!, { signal })).bytes)).toBe(true);
  });

  test.each([
    ["throttle", "aws-throttled", true],
    ["error500", "aws-unavailable", true],
    ["error503", "aws-unavailable", true],
    ["drop", "aws-unavailable", true],
    ["timeout", "aws-unavailable", true],
    ["expired", "aws-credentials-expired", true],
    ["corrupt", "ebs-block-damaged", true],
    ["cut", "aws-unavailable", true],
  ] as const)(
    "that meets the fault %s fails as %s, and the next one is read",
    async (fault, code, retryable) => {
      const hasty = open(lineOf(running, { silenceMs: fault === "timeout" ? impatienceMs : patienceMs }));
      plan("GetSnapshotBlock", fault);
      expect(await failureOf(hasty.get(blocks[0]!, { signal }))).toMatchObject({ code, retryable });
      hasty.close();
      expect(fired()).toEqual([1]);
      expect(contents[0]!.equals((await read()).bytes)).toBe(true);
    },
  );

  test.each([
    ["throttle", "aws-throttled"],
    ["error500", "aws-unavailable"],
    ["drop", "aws-unavailable"],
    ["timeout", "aws-unavailable"],
    ["expired", "aws-credentials-expired"],
  ] as const)(
    "that is written into the fault %s fails as %s, and can be written again",
    async (fault, code) => {
      const block = blockOf(0, contents[0]!, await startSnapshot());
      const hasty = open(lineOf(running, { silenceMs: fault === "timeout" ? impatienceMs : patienceMs }));
      plan("PutSnapshotBlock", fault);
      expect(await failureOf(hasty.put(block, { signal }))).toMatchObject({ code, retryable: true });
      hasty.close();
      expect(fired()).toEqual([1]);
      await client.put(block, { signal });
    },
  );

  test("that comes bit by bit is read", async () => {
    plan("GetSnapshotBlock", "slow", 80);
    expect(contents[0]!.equals((await read()).bytes)).toBe(true);
    expect(fired()).toEqual([1]);
  });

  test("that is refused says what AWS said", async () => {
    plan("GetSnapshotBlock", "throttle");
    expect(await failureOf(read())).toMatchObject({
      message: `reading block 0 of ${snapshotId}`,
      details: { awsCode: "RequestThrottledException", requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      cause: { message: "Rate exceeded" },
    });
  });

  test.each(["AAAB", "with space", "?x=1&y=2#z", "a\r\nhost: elsewhere\r\n\r\n", "ümläut", "%2F..%2F"])(
    "with the made-up token %j is refused for its token",
    async (token) => {
      expect(await failureOf(client.get({ ...blocks[0]!, token }, { signal }))).toMatchObject({
        code: "aws-invalid-request",
        details: { awsCode: "ValidationException", reason: "INVALID_BLOCK_TOKEN" },
      });
    },
  );

  test("of a snapshot that doesn't exist is not found", async () => {
    expect(
      await failureOf(client.get({ ...blocks[0]!, snapshotId: "snap-0123456789abcdef0" }, { signal })),
    ).toMatchObject({ code: "aws-not-found", details: { reason: "SNAPSHOT_NOT_FOUND" } });
  });

  test("whose checksum is another's is not taken", async () => {
    const block = {
      ...blockOf(0, contents[0]!, await startSnapshot()),
      sha256: hash("sha256", "else", "buffer"),
    };
    expect(await failureOf(client.put(block, { signal }))).toMatchObject({ retryable: false });
  });

  test("whose call is stopped ends at once, and the next one is read", async () => {
    plan("GetSnapshotBlock", "latency", 60_000);
    const stopping = new AbortController();
    const stopped = failureOf(read(0, { signal: stopping.signal }));
    while (fired()[0] === 0) await systemClock.sleep(1, signal);
    stopping.abort();
    expect(await stopped).toMatchObject({ code: "aborted" });
    expect(await failureOf(read(0, { signal: stopping.signal }))).toMatchObject({ code: "aborted" });
    expect(contents[0]!.equals((await read()).bytes)).toBe(true);
  });

  test.each([-20, 20])(
    "is read by a client whose clock is off by %i minutes, after one refusal",
    async (minutes) => {
      const late = open(lineOf(running, { skewMs: minutes * 60_000 }));
      expect(await failureOf(late.get(blocks[0]!, { signal }))).toMatchObject({
        details: { awsCode: "InvalidSignatureException" },
      });
      expect(contents[0]!.equals((await late.get(blocks[0]!, { signal })).bytes)).toBe(true);
      late.close();
    },
  );

  test("is not read with a wrong secret", async () => {
    const credentials = { ...running.operators[production]!, secretAccessKey: "wrong" };
    const stranger = open(lineOf(running, { credentials }));
    expect(await failureOf(stranger.get(blocks[0]!, { signal }))).toMatchObject({
      code: "aws-access-denied",
      retryable: false,
    });
    stranger.close();
  });

  test("is read under a session, as far as its role goes", async () => {
    putRole(running.lab, production, { roleName: "reader", actions: ["ebs:GetSnapshotBlock"] });
    const session = open(lineOf(running, { credentials: await assume("reader") }));
    expect(contents[0]!.equals((await session.get(blocks[0]!, { signal })).bytes)).toBe(true);
    const block = blockOf(0, contents[0]!, await startSnapshot());
    expect(await failureOf(session.put(block, { signal }))).toMatchObject({
      code: "aws-access-denied",
      details: { awsCode: "AccessDeniedException" },
    });
    session.close();
  });
});

async function assume(roleName: string): Promise<SdkCredentials> {
  const { endpoint, credentials } = lineOf(running);
  const sts = new STSClient({ region, endpoint, credentials });
  const RoleArn = `arn:aws:iam::${production}:role/${roleName}`;
  const { Credentials: granted } = await sts.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }),
  );
  sts.destroy();
  return {
    accessKeyId: granted!.AccessKeyId!,
    secretAccessKey: granted!.SecretAccessKey!,
    sessionToken: granted!.SessionToken!,
  };
}

describe("our own client", () => {
  test("says that the clock is wrong, which trying again mends", async () => {
    const late = openOurs(lineOf(running, { skewMs: -600_000 }));
    expect(await failureOf(late.get(blocks[0]!, { signal }))).toMatchObject({
      code: "aws-clock-skewed",
      retryable: true,
      message: expect.stringMatching(/this clock is (599|600|601) s behind AWS's/),
    });
    late.close();
  });

  test("asks for new credentials once AWS has called the old ones expired", async () => {
    const wishes: unknown[] = [];
    const client = openBlockClient({
      clock: systemClock,
      endpoint: () => resolveBlockEndpoint(new EBSClient({ region, endpoint: running.endpoint })),
      credentials: async (wish) => {
        wishes.push(wish?.forceRefresh ?? false);
        return running.operators[production]!;
      },
    });
    running.lab.faults.add({ service: "ebs", operation: "GetSnapshotBlock", fault: "expired", count: 1 });
    await failureOf(client.get(blocks[0]!, { signal }));
    for (let call = 0; call < 2; call++) await client.get(blocks[0]!, { signal });
    expect(wishes).toEqual([false, true, false]);
    client.close();
  });

  test.each([
    ["getBlockPerAccount", "ACCOUNT_THROTTLED"],
    ["getBlockPerSnapshot", "RESOURCE_LEVEL_THROTTLE"],
  ])("names the quota %s when it is used up", async (quota, reason) => {
    const ec2 = { snapshotMs: 5, [quota]: { perSecond: 0.001, burst: 1 } };
    const strict = await startLab({ dataDir: join(dataDir, quota), seed: "demo", ec2 });
    try {
      const client = openOurs(lineOf(strict));
      const { endpoint, credentials } = lineOf(strict);
      const strictEbs = new EBSClient({ region, endpoint, credentials });
      const { SnapshotId = "" } = await strictEbs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
      const block = { snapshotId: SnapshotId, index: 0, token: "AAAB" };
      expect(await failureOf(client.get(block, { signal }))).toMatchObject({ code: "aws-invalid-request" });
      expect(await failureOf(client.get(block, { signal }))).toMatchObject({
        code: "aws-throttled",
        details: { awsCode: "RequestThrottledException", reason },
      });
      client.close();
      strictEbs.destroy();
    } finally {
      await strict.stop();
    }
  });
});

/** The blocks as a backup reads them, by a source with faults between. */
async function readAll(random: string): Promise<Buffer[]> {
  const ours = openOurs(lineOf(running));
  const source = await openEbsSnapshotSource(
    {
      clients: { ebs: () => ebs, ebsBlocks: () => ours },
      clock: systemClock,
      random: seededRandom(random),
      snapshotId,
      pace: openBlockPace(systemClock),
    },
    { signal },
  );
  const found: Buffer[] = [];
  const readOne = async (reference: BlockReference) => {
    const into = Buffer.alloc(blockBytes);
    await source.read(reference, into, { signal });
    return into;
  };
  for await (const bytes of mapConcurrent(source.list({ signal }), { concurrency: 8, signal }, readOne))
    found.push(bytes);
  ours.close();
  return found;
}

describe("a source and a target", () => {
  test.each(["throttle", "error500", "drop", "corrupt", "cut", "expired"] as const)(
    "get every block right though calls meet the fault %s",
    async (fault) => {
      running.lab.faults.add({
        service: "ebs",
        operation: "GetSnapshotBlock",
        fault,
        skip: 2,
        count: 5,
      });
      const found = await readAll(fault);
      expect(running.lab.faults.list()[0]!.hits).toBe(5);
      expect(found.length).toBe(contents.length);
      for (const [place, bytes] of found.entries()) expect(contents[place]!.equals(bytes)).toBe(true);
    },
  );

  test.each(["throttle", "error500", "drop", "expired"] as const)(
    "write every block though calls meet the fault %s",
    async (fault) => {
      const ours = openOurs(lineOf(running));
      const id = await startSnapshot();
      const target = openEbsSnapshotTarget({
        clients: { ebsBlocks: () => ours },
        clock: systemClock,
        random: systemRandom,
        snapshotId: id,
      });
      running.lab.faults.add({
        service: "ebs",
        operation: "PutSnapshotBlock",
        fault,
        skip: 2,
        count: 5,
      });
      for (const [index, bytes] of contents.entries()) await target.write(blockOf(index, bytes), { signal });
      expect(running.lab.faults.list()[0]!.hits).toBe(5);
      expect((await target.complete({ signal })).blocksWritten).toBe(contents.length);
      await completeSnapshot(id, contents.length);
      const reader = openOurs(lineOf(running));
      for (const [place, block] of (await listBlocks(id)).entries())
        expect(contents[place]!.equals((await reader.get(block, { signal })).bytes)).toBe(true);
      for (const each of [ours, reader]) each.close();
    },
  );
});

test("a source finds any blocks of its snapshot, those that it has not as zeros", async () => {
  const ours = openOurs(lineOf(running));
  const clients = { ebs: () => ebs, ebsBlocks: () => ours };
  const source = await openEbsSnapshotSource(
    { clients, clock: systemClock, random: systemRandom, snapshotId },
    { signal },
  );
  const located = await Array.fromAsync(source.locate!([0, 5, 11, 12, 2047], { signal }));
  expect(located.map(({ index, isZero }) => [index, isZero ?? false])).toEqual([
    [0, false],
    [5, false],
    [11, false],
    [12, true],
    [2047, true],
  ]);
  const into = Buffer.alloc(blockBytes);
  await source.read(located[1]!, into, { signal });
  expect(contents[5]!.equals(into)).toBe(true);
  ours.close();
});

test("a source reads on under a quota far below what it was promised, and its caller hears nothing of it", async () => {
  const ec2 = { snapshotMs: 5, getBlockPerAccount: { perSecond: 12, burst: 5 } };
  const strict = await startLab({ dataDir: join(dataDir, "quota"), seed: "demo", ec2 });
  const { endpoint, credentials } = lineOf(strict);
  const strictEbs = new EBSClient({ region, endpoint, credentials });
  const ours = openOurs(lineOf(strict));
  try {
    const { SnapshotId = "" } = await strictEbs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
    for (let index = 0; index < 60; index++)
      await ours.put(blockOf(index, contents[index % contents.length]!, SnapshotId), { signal });
    await strictEbs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 60 }));
    while (strict.lab.ec2.tables.snapshots.get(SnapshotId)?.state !== "completed")
      await systemClock.sleep(5, signal);
    const source = await openEbsSnapshotSource(
      {
        clients: { ebs: () => strictEbs, ebsBlocks: () => ours },
        clock: systemClock,
        random: systemRandom,
        snapshotId: SnapshotId,
        pace: openBlockPace(systemClock, { perSecond: 300 }),
      },
      { signal },
    );
    let right = 0;
    const readOne = async (reference: BlockReference) => {
      const bytes = Buffer.alloc(blockBytes);
      await source.read(reference, bytes, { signal });
      return { index: reference.index, bytes };
    };
    const options = { concurrency: 16, signal };
    for await (const { index, bytes } of mapConcurrent(source.list({ signal }), options, readOne))
      if (contents[index % contents.length]!.equals(bytes)) right++;
    const refused = strict.lab.calls
      .entries()
      .filter(({ errorCode }) => errorCode === "RequestThrottledException");
    expect(right).toBe(60);
    expect(refused.length).toBeGreaterThan(0);
  } finally {
    ours.close();
    strictEbs.destroy();
    await strict.stop();
  }
});
