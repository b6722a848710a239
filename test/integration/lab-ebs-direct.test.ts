import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
  type Block,
  type ChangedBlock,
} from "@aws-sdk/client-ebs";
import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { makeKey } from "@garrison/lab/services/kms/find-key";
import { defaultKeyPolicy } from "@garrison/lab/services/kms/key-policy";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { putRole } from "./lab-ec2-roles.ts";

const blockBytes = 512 * 1024;
const production = "222222222222";
const region = "eu-central-1";

let running: RunningLab;
let dataDir: string;
let ec2: EC2Client;
let ebs: EBSClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-ebs-"));
  running = await startLab({
    dataDir,
    seed: "demo",
    ec2: { transitionMs: 5, snapshotMs: 5, emptyPageShare: 0.5 },
  });
  ({ ec2, ebs } = clients(running.operators[production]!));
});

afterAll(async () => {
  await running.stop();
  await rm(dataDir, { recursive: true });
});

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function clients(credentials: Credentials) {
  const config = { region, endpoint: running.endpoint, credentials, maxAttempts: 1 };
  return { ec2: new EC2Client(config), ebs: new EBSClient(config), sts: new STSClient(config) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

async function newVolume(): Promise<string> {
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1 }));
  await until(() => running.lab.ec2.tables.volumes.get(VolumeId!)?.state === "available");
  return VolumeId!;
}

function volumePath(volumeId: string): string {
  return running.lab.ec2.disks.volumes.path(volumeId);
}

async function write(volumeId: string, block: number, bytes: Uint8Array): Promise<void> {
  const file = await open(volumePath(volumeId), "r+");
  await file.write(bytes, 0, bytes.length, block * blockBytes);
  await file.close();
}

async function snapshot(volumeId: string, tags: Record<string, string> = {}): Promise<string> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { SnapshotId } = await ec2.send(
    new CreateSnapshotCommand({
      VolumeId: volumeId,
      ...(Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: "snapshot", Tags }] }),
    }),
  );
  await until(() => running.lab.ec2.tables.snapshots.get(SnapshotId!)?.state === "completed");
  return SnapshotId!;
}

async function listBlocks(SnapshotId: string, client = ebs): Promise<Block[]> {
  const blocks: Block[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListSnapshotBlocksCommand({ SnapshotId, MaxResults: 100, NextToken }));
    blocks.push(...page.Blocks!);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return blocks;
}

async function listChanges(FirstSnapshotId: string, SecondSnapshotId: string): Promise<ChangedBlock[]> {
  const changes: ChangedBlock[] = [];
  let NextToken: string | undefined;
  do {
    const page = await ebs.send(
      new ListChangedBlocksCommand({ FirstSnapshotId, SecondSnapshotId, MaxResults: 100, NextToken }),
    );
    changes.push(...page.ChangedBlocks!);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return changes;
}

function put(SnapshotId: string, BlockIndex: number, content: { data: Uint8Array; checksum?: string }) {
  const { data, checksum } = content;
  return ebs.send(
    new PutSnapshotBlockCommand({
      SnapshotId,
      BlockIndex,
      BlockData: data,
      DataLength: data.length,
      Checksum: checksum ?? createHash("sha256").update(data).digest("base64"),
      ChecksumAlgorithm: "SHA256",
    }),
  );
}

async function readBlock(volumeId: string, block: number): Promise<Buffer> {
  const file = await open(volumePath(volumeId), "r");
  const bytes = Buffer.alloc(blockBytes);
  await file.read(bytes, 0, blockBytes, block * blockBytes);
  await file.close();
  return bytes;
}

describe("reading a snapshot", () => {
  test("gives back every block of the volume with its checksum, page by page", async () => {
    const volumeId = await newVolume();
    const written = new Map<number, Buffer>();
    for (let block = 0; block < 2048; block += 9) written.set(block, randomBytes(blockBytes));
    for (const [block, bytes] of written) await write(volumeId, block, bytes);
    const snapshotId = await snapshot(volumeId);
    const blocks = await listBlocks(snapshotId);
    expect(blocks.map((block) => block.BlockIndex)).toEqual([...written.keys()]);
    for (const { BlockIndex, BlockToken } of blocks.slice(0, 20)) {
      const reply = await ebs.send(
        new GetSnapshotBlockCommand({ SnapshotId: snapshotId, BlockIndex, BlockToken }),
      );
      const bytes = await reply.BlockData!.transformToByteArray();
      expect(reply.DataLength).toBe(blockBytes);
      expect(Buffer.from(bytes).equals(written.get(BlockIndex!)!)).toBe(true);
      expect(reply.Checksum).toBe(createHash("sha256").update(bytes).digest("base64"));
    }
  });

  test("begins where it is told to", async () => {
    const volumeId = await newVolume();
    for (const block of [1, 5, 9]) await write(volumeId, block, randomBytes(blockBytes));
    const SnapshotId = await snapshot(volumeId);
    const first = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, StartingBlockIndex: 2 }));
    const rest =
      first.NextToken === undefined
        ? first
        : await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, NextToken: first.NextToken }));
    expect(rest.Blocks!.map((block) => block.BlockIndex)).toEqual([5, 9]);
    expect(rest.VolumeSize).toBe(1);
    expect(rest.BlockSize).toBe(blockBytes);
  });

  test("refuses a token of another block, of another snapshot, and a made-up one", async () => {
    const volumeId = await newVolume();
    for (const block of [1, 5]) await write(volumeId, block, randomBytes(blockBytes));
    const SnapshotId = await snapshot(volumeId);
    const other = await snapshot(volumeId);
    const [one] = await listBlocks(SnapshotId);
    const [foreign] = await listBlocks(other);
    const get = (BlockIndex: number, BlockToken: string) =>
      ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken }));
    const refusal = { name: "ValidationException", Reason: "INVALID_BLOCK_TOKEN" };
    await expect(get(5, one!.BlockToken!)).rejects.toMatchObject(refusal);
    await expect(get(1, foreign!.BlockToken!)).rejects.toMatchObject(refusal);
    await expect(get(1, "AAAB")).rejects.toMatchObject(refusal);
    await expect(
      ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, NextToken: one!.BlockToken! })),
    ).rejects.toMatchObject({ Reason: "INVALID_PAGE_TOKEN" });
  });

  test("refuses page sizes that AWS doesn't have", async () => {
    const SnapshotId = await snapshot(await newVolume());
    await expect(
      ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, MaxResults: 99 })),
    ).rejects.toMatchObject({
      name: "ValidationException",
    });
  });
});

test("changed blocks are those that differ, and only those", async () => {
  const volumeId = await newVolume();
  const contents = new Map<number, number>();
  let before: Map<number, number> | undefined;
  let previous: string | undefined;
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let round = 0; round < 4; round++) {
    for (let writes = 0; writes < 150; writes++) {
      // Zeros now and then: a block that becomes empty is a change too.
      const [block, value] = [next(300), next(4)];
      contents.set(block, value);
      await write(volumeId, block, Buffer.alloc(blockBytes, value));
    }
    const snapshotId = await snapshot(volumeId);
    if (previous !== undefined) {
      const differing = Array.from({ length: 300 }, (_, block) => block).filter(
        (block) => (before!.get(block) ?? 0) !== (contents.get(block) ?? 0),
      );
      const changes = await listChanges(previous, snapshotId);
      expect(changes.map((change) => change.BlockIndex)).toEqual(differing);
      for (const { BlockIndex, FirstBlockToken, SecondBlockToken } of changes) {
        expect(FirstBlockToken !== undefined).toBe((before!.get(BlockIndex!) ?? 0) !== 0);
        expect(SecondBlockToken !== undefined).toBe((contents.get(BlockIndex!) ?? 0) !== 0);
      }
    }
    [before, previous] = [new Map(contents), snapshotId];
  }
});

test("snapshots of different volumes are unrelated", async () => {
  const [one, two] = [await snapshot(await newVolume()), await snapshot(await newVolume())];
  await expect(listChanges(one, two)).rejects.toMatchObject({
    name: "ValidationException",
    Reason: "UNRELATED_SNAPSHOTS",
  });
});

describe("writing a snapshot", () => {
  test("makes one whose volume has the bytes that were put", async () => {
    const { SnapshotId, BlockSize } = await ebs.send(
      new StartSnapshotCommand({ VolumeSize: 1, Description: "restored" }),
    );
    expect(BlockSize).toBe(blockBytes);
    const data = new Map([3, 700, 2047].map((block) => [block, randomBytes(blockBytes)]));
    for (const [block, bytes] of data) await put(SnapshotId!, block, { data: bytes });
    const linear = createHash("sha256");
    for (const bytes of data.values()) linear.update(createHash("sha256").update(bytes).digest());
    await ebs.send(
      new CompleteSnapshotCommand({
        SnapshotId,
        ChangedBlocksCount: 3,
        Checksum: linear.digest("base64"),
        ChecksumAlgorithm: "SHA256",
        ChecksumAggregationMethod: "LINEAR",
      }),
    );
    await until(() => running.lab.ec2.tables.snapshots.get(SnapshotId!)?.state === "completed");
    const { VolumeId } = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: `${region}a`, SnapshotId }),
    );
    await until(() => running.lab.ec2.tables.volumes.get(VolumeId!)?.state === "available");
    for (const [block, bytes] of data) expect((await readBlock(VolumeId!, block)).equals(bytes)).toBe(true);
    expect((await readBlock(VolumeId!, 4)).every((byte) => byte === 0)).toBe(true);
  });

  test("refuses a block whose checksum is wrong, and a completion that doesn't fit", async () => {
    const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
    const bytes = randomBytes(blockBytes);
    const wrong = createHash("sha256").update("else").digest("base64");
    await expect(put(SnapshotId!, 0, { data: bytes, checksum: wrong })).rejects.toMatchObject({
      name: "ValidationException",
    });
    await put(SnapshotId!, 0, { data: bytes });
    const complete = (more: object) =>
      ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1, ...more }));
    await expect(complete({ ChangedBlocksCount: 2 })).rejects.toMatchObject({ name: "ValidationException" });
    const checksum = { Checksum: wrong, ChecksumAlgorithm: "SHA256", ChecksumAggregationMethod: "LINEAR" };
    await expect(complete(checksum)).rejects.toMatchObject({ name: "ValidationException" });
    await complete({});
    await expect(put(SnapshotId!, 1, { data: bytes })).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("can't be read before it is complete", async () => {
    const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
    await expect(listBlocks(SnapshotId!)).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("continues its parent and shares its lineage", async () => {
    const volumeId = await newVolume();
    for (const block of [1, 2]) await write(volumeId, block, randomBytes(blockBytes));
    const parent = await snapshot(volumeId);
    const { SnapshotId } = await ebs.send(
      new StartSnapshotCommand({ VolumeSize: 1, ParentSnapshotId: parent }),
    );
    await put(SnapshotId!, 2, { data: randomBytes(blockBytes) });
    await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1 }));
    await until(() => running.lab.ec2.tables.snapshots.get(SnapshotId!)?.state === "completed");
    expect((await listBlocks(SnapshotId!)).map((block) => block.BlockIndex)).toEqual([1, 2]);
    expect((await listChanges(parent, SnapshotId!)).map((change) => change.BlockIndex)).toEqual([2]);
  });

  test("is begun once for one client token, and refuses it for something else", async () => {
    const ClientToken = randomBytes(8).toString("hex");
    const first = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ClientToken }));
    const again = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ClientToken }));
    expect(again.SnapshotId).toBe(first.SnapshotId);
    await expect(ebs.send(new StartSnapshotCommand({ VolumeSize: 2, ClientToken }))).rejects.toMatchObject({
      name: "ConflictException",
    });
  });
});

describe("rights", () => {
  async function sessionOf(roleName: string, policy?: object): Promise<EBSClient> {
    const { sts } = clients(running.operators[production]!);
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${production}:role/${roleName}`,
        RoleSessionName: "test",
        ...(policy === undefined ? {} : { Policy: JSON.stringify(policy) }),
      }),
    );
    return clients({
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    }).ebs;
  }

  test("a session that is limited to one tag reads the snapshot that has it and no other", async () => {
    putRole(running.lab, production, { roleName: "reader", actions: ["ebs:*"] });
    const volumeId = await newVolume();
    await write(volumeId, 1, randomBytes(blockBytes));
    const ours = await snapshot(volumeId, { "garrison:run": "run-1" });
    const theirs = await snapshot(volumeId, { "garrison:run": "run-2" });
    const session = await sessionOf("reader", {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: ["ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"],
          Resource: "*",
          Condition: { StringEquals: { "aws:ResourceTag/garrison:run": "run-1" } },
        },
      ],
    });
    const blocks = await listBlocks(ours, session);
    await session.send(
      new GetSnapshotBlockCommand({ SnapshotId: ours, BlockIndex: 1, BlockToken: blocks[0]!.BlockToken! }),
    );
    const denied = { name: "AccessDeniedException" };
    await expect(listBlocks(theirs, session)).rejects.toMatchObject(denied);
    const [foreign] = await listBlocks(theirs);
    await expect(
      session.send(
        new GetSnapshotBlockCommand({ SnapshotId: theirs, BlockIndex: 1, BlockToken: foreign!.BlockToken! }),
      ),
    ).rejects.toMatchObject(denied);
    await expect(session.send(new StartSnapshotCommand({ VolumeSize: 1 }))).rejects.toMatchObject(denied);
  });

  test("a role that can only talk can't call the direct APIs", async () => {
    putRole(running.lab, production, {
      roleName: "talker",
      actions: ["sqs:SendMessage", "ssm:UpdateInstanceInformation"],
    });
    const session = await sessionOf("talker");
    const SnapshotId = await snapshot(await newVolume());
    await expect(listBlocks(SnapshotId, session)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("of an encrypted snapshot include its key's", async () => {
    const key = makeKey(running.lab, {
      place: { accountId: production, region },
      policy: defaultKeyPolicy({ partition: "aws", accountId: production, region }),
      manager: "CUSTOMER",
      description: "disks",
    });
    const { VolumeId } = await ec2.send(
      new CreateVolumeCommand({
        AvailabilityZone: `${region}a`,
        Size: 1,
        Encrypted: true,
        KmsKeyId: key.keyId,
      }),
    );
    await until(() => running.lab.ec2.tables.volumes.get(VolumeId!)?.state === "available");
    await write(VolumeId!, 1, randomBytes(blockBytes));
    const SnapshotId = await snapshot(VolumeId!);
    const [block] = await listBlocks(SnapshotId);
    const get = new GetSnapshotBlockCommand({ SnapshotId, BlockIndex: 1, BlockToken: block!.BlockToken! });
    await ebs.send(get);
    const denied = { name: "AccessDeniedException", Reason: "DEPENDENCY_ACCESS_DENIED" };
    await expect((await sessionOf("reader")).send(get)).rejects.toMatchObject(denied);
    putRole(running.lab, production, {
      roleName: "decrypting-reader",
      statements: [
        { Effect: "Allow", Action: "ebs:*", Resource: "*" },
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: key.arn,
          Condition: { StringEquals: { "kms:ViaService": `ec2.${region}.amazonaws.com` } },
        },
      ],
    });
    await (await sessionOf("decrypting-reader")).send(get);
  });

  test("another account's administrator can't read a snapshot", async () => {
    const SnapshotId = await snapshot(await newVolume());
    const other = clients(running.operators["111111111111"]!);
    await expect(listBlocks(SnapshotId, other.ebs)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(
      other.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })),
    ).rejects.toMatchObject({
      name: "InvalidSnapshot.NotFound",
    });
  });
});

test("calls beyond a quota are throttled, and a snapshot has a quota of its own", async () => {
  const strict = await startLab({
    dataDir: join(dataDir, "strict"),
    seed: "demo",
    ec2: {
      listBlocksPerAccount: { perSecond: 0.01, burst: 2 },
      putBlockPerSnapshot: { perSecond: 0.01, burst: 1 },
    },
  });
  try {
    const credentials = strict.operators[production]!;
    const limited = new EBSClient({ region, endpoint: strict.endpoint, credentials, maxAttempts: 1 });
    const { SnapshotId } = await limited.send(new StartSnapshotCommand({ VolumeSize: 1 }));
    const BlockData = Buffer.alloc(blockBytes, 1);
    const Checksum = createHash("sha256").update(BlockData).digest("base64");
    const write = new PutSnapshotBlockCommand({
      SnapshotId,
      BlockIndex: 0,
      BlockData,
      Checksum,
      DataLength: blockBytes,
      ChecksumAlgorithm: "SHA256",
    });
    await limited.send(write);
    await expect(limited.send(write)).rejects.toMatchObject({
      name: "RequestThrottledException",
      Reason: "RESOURCE_LEVEL_THROTTLE",
    });
    const list = () => limited.send(new ListSnapshotBlocksCommand({ SnapshotId }));
    for (let calls = 0; calls < 2; calls++)
      await expect(list()).rejects.toMatchObject({ name: "ValidationException" });
    await expect(list()).rejects.toMatchObject({
      name: "RequestThrottledException",
      Reason: "ACCOUNT_THROTTLED",
    });
  } finally {
    await strict.stop();
  }
});
