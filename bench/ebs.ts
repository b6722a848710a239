/**
 * GetSnapshotBlock and PutSnapshotBlock through the SDK and through our own client, in turn, against a lab in another
 * process. Every block is verified by its SHA-256. Run: node bench/ebs.ts [--rounds 5] [--blocks 1024] [--concurrency 32]
 */
import { spawn } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  CompleteSnapshotCommand,
  ListSnapshotBlocksCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import { DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { openAwsClients } from "../packages/aws/src/aws-clients.ts";
import type { BlockClient, BlockRead, BlockWrite } from "../packages/aws/src/ebs/block-client.ts";
import { forEachConcurrent } from "../packages/core/src/map-concurrent.ts";
import { openSdkBlockClient } from "../test/integration/sdk-block-client.ts";

const blockBytes = 512 * 1024;
const region = "eu-central-1";
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    blocks: { type: "string", default: "1024" },
    concurrency: { type: "string", default: "32" },
  },
});
const [rounds, blockCount, concurrency] = [values.rounds, values.blocks, values.concurrency].map(Number) as [
  number,
  number,
  number,
];
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "garrison-bench-"));
const program = fileURLToPath(new URL("ebs-lab.ts", import.meta.url));
const lab = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => {
  lab.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

interface LabLine {
  readonly endpoint: string;
  readonly operators: Readonly<Record<string, { accessKeyId: string; secretAccessKey: string }>>;
}

const firstLine = await new Promise<string>((resolve) =>
  createInterface({ input: lab.stdout }).once("line", resolve),
);
const { endpoint, operators } = JSON.parse(firstLine) as LabLine;
const keys = operators["222222222222"]!;
const clients = openAwsClients({ region, endpoint, credentials: async () => keys });

/** The lab's user and system time so far, in milliseconds; Linux only, counted in hundredths of a second. */
function labCpuMs(): number {
  const fields = readFileSync(`/proc/${lab.pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Measure {
  readonly blocksPerSecond: number;
  readonly clientCpuMs: number;
  readonly labCpuMs: number;
}

async function measure<Item>(
  items: readonly Item[],
  run: (item: Item) => Promise<unknown>,
): Promise<Measure> {
  const [labBefore, startedAt, before] = [labCpuMs(), performance.now(), process.cpuUsage()];
  await forEachConcurrent(items, { concurrency, signal }, async (item) => void (await run(item)));
  const [used, seconds] = [process.cpuUsage(before), (performance.now() - startedAt) / 1000];
  return {
    blocksPerSecond: items.length / seconds,
    clientCpuMs: (used.user + used.system) / 1000 / items.length,
    labCpuMs: (labCpuMs() - labBefore) / items.length,
  };
}

const blocks = Array.from({ length: blockCount }, () => randomBytes(blockBytes));

async function startSnapshot(): Promise<string> {
  const command = new StartSnapshotCommand({ VolumeSize: Math.ceil(blockCount / 2048) });
  return (await clients.ebs().send(command)).SnapshotId!;
}

/** New contents each time, or the lab would find that it has them. */
function freshWrites(snapshotId: string): BlockWrite[] {
  return blocks.map((bytes, index) => {
    randomBytes(16).copy(bytes);
    return { snapshotId, index, bytes, sha256: hash("sha256", bytes, "buffer") };
  });
}

async function complete(snapshotId: string): Promise<readonly BlockRead[]> {
  await clients
    .ebs()
    .send(new CompleteSnapshotCommand({ SnapshotId: snapshotId, ChangedBlocksCount: blockCount }));
  const describe = new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] });
  while ((await clients.ec2().send(describe)).Snapshots?.[0]?.State !== "completed");
  const list = new ListSnapshotBlocksCommand({ SnapshotId: snapshotId, MaxResults: 10_000 });
  const page = await clients.ebs().send(list);
  return page.Blocks!.map(({ BlockIndex: index, BlockToken: token }) => ({
    snapshotId,
    index: index!,
    token,
  }));
}

/** As a pipeline does that gets its blocks' memory back. */
function reusingMemory(client: BlockClient): BlockClient {
  const free: Uint8Array[] = [];
  return {
    ...client,
    async get(block, call) {
      const into = free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
      const found = await client.get({ ...block, into }, call);
      free.push(found.bytes);
      return found;
    },
  };
}

const contenders: Readonly<Record<string, BlockClient>> = {
  SDK: openSdkBlockClient(clients.ebs()),
  "ours, fresh memory": clients.ebsBlocks(),
  ours: reusingMemory(clients.ebsBlocks()),
};
const measures = new Map<string, Measure[]>();

async function takeTurn(name: string, reads: readonly BlockRead[], isWarmUp: boolean): Promise<void> {
  const client = contenders[name]!;
  const writes = freshWrites(await startSnapshot());
  const found = {
    read: await measure(reads, (block) => client.get(block, { signal })),
    write: await measure(writes, (block) => client.put(block, { signal })),
  };
  if (isWarmUp) return;
  for (const [step, each] of Object.entries(found)) {
    const key = `${name}/${step}`;
    measures.set(key, [...(measures.get(key) ?? []), each]);
  }
}

function median(name: string, step: string, field: keyof Measure): number {
  const all = measures.get(`${name}/${step}`)!.map((each) => each[field]);
  return all.sort((a, b) => a - b)[all.length >> 1]!;
}

/** What one core does in a second of processor time: what else the machine runs has no say in it. */
const perCoreSecond = (cpuMs: number): string => (1000 / cpuMs).toFixed(0);

function printTable(): void {
  const columns = [
    "blocks/s",
    "client CPU, ms",
    "client, blocks/core-s",
    "lab CPU, ms",
    "lab, blocks/core-s",
    "client CPU / SDK's",
  ];
  console.log(`| step | client | ${columns.join(" | ")} |\n|---|---|${columns.map(() => "---:|").join("")}`);
  for (const step of ["read", "write"]) {
    for (const name of Object.keys(contenders)) {
      const cpu = median(name, step, "clientCpuMs");
      const labCpu = median(name, step, "labCpuMs");
      const cells = [
        median(name, step, "blocksPerSecond").toFixed(0),
        cpu.toFixed(2),
        perCoreSecond(cpu),
        labCpu.toFixed(2),
        perCoreSecond(labCpu),
        (cpu / median("SDK", step, "clientCpuMs")).toFixed(2),
      ];
      console.log(`| ${step} | ${name} | ${cells.join(" | ")} |`);
    }
  }
}

/** Processor time of hashing one block: on a busy machine it says how much more everything here costs than alone. */
function hashCpuMs(): number {
  const before = process.cpuUsage();
  for (let turn = 0; turn < 100; turn++) hash("sha256", blocks[turn % blocks.length]!, "buffer");
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000 / 100;
}

const hashes: number[] = [];
const seeded = await startSnapshot();
const seedClient = openSdkBlockClient(
  openAwsClients({ region, endpoint, credentials: async () => keys }).ebs(),
);
await measure(freshWrites(seeded), (block) => seedClient.put(block, { signal }));
const reads = await complete(seeded);
for (let round = -1; round < rounds; round++) {
  for (const name of Object.keys(contenders)) await takeTurn(name, reads, round < 0);
  hashes.push(hashCpuMs());
}
console.log(
  `${cpus().length} x ${cpus()[0]?.model}, node ${process.version}, load ${loadavg()[0]!.toFixed(1)}; ` +
    `${blockCount} blocks of 512 KiB, ${concurrency} at once, medians of ${rounds} rounds; ` +
    `SHA-256 of a block ${hashes.sort((a, b) => a - b)[hashes.length >> 1]!.toFixed(2)} ms\n`,
);
printTable();
process.exit(0);
