/**
 * What can't be tried at full size here, by models: a disk that is made by rule, and a store that keeps maps and records and
 * of packs only names and sizes. Prints time, requests and memory of a 16 TiB volume, of a series of 10,000 points, and the
 * requests of new data. Each part is a process of its own, so that its peak is its own.
 * Run: node bench/scale.ts [--stored 1048576] [--points 10000] [--data 4096].
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../packages/core/src/logger.ts";
import { seededRandom } from "../packages/core/src/random.ts";
import { GiB, MiB, TiB } from "../packages/core/src/units.ts";
import { VirtualClock } from "../packages/core/src/virtual-clock.ts";
import { backupVolumes } from "../packages/repository/src/backup/backup-volumes.ts";
import { checkRepository } from "../packages/repository/src/check/check-repository.ts";
import { blockSizeBytes, type BlockSource } from "../packages/repository/src/disk/block-source.ts";
import { seriesHash } from "../packages/repository/src/format/object-names.ts";
import type { Leaf } from "../packages/repository/src/format/leaf-page.ts";
import { deriveRepository } from "../packages/repository/src/keys/derive-keys.ts";
import { findNewestPoint } from "../packages/repository/src/point/find-newest-point.ts";
import { listPoints } from "../packages/repository/src/point/list-points.ts";
import { readRecord } from "../packages/repository/src/point/read-point.ts";
import { newLaneId, newSessionId } from "../packages/repository/src/point/session-id.ts";
import { openVolumeReader } from "../packages/repository/src/point/volume-reader.ts";
import { walkVolume } from "../packages/repository/src/point/walk-volume.ts";
import { planExpiry } from "../packages/repository/src/retention/plan-expiry.ts";
import { keepInFile } from "../packages/repository/src/simulation/kept-bytes.ts";
import { ruledSource } from "../packages/repository/src/simulation/ruled-source.ts";
import { openScaleStore } from "../packages/repository/src/simulation/scale-store.ts";
import { openCountingObjectStore } from "../packages/repository/src/store/counting-object-store.ts";
import { measureProcess } from "./measure-process.ts";

const { values } = parseArgs({
  options: {
    stored: { type: "string", default: "1048576" },
    points: { type: "string", default: "10000" },
    data: { type: "string", default: "4096" },
    part: { type: "string" },
    size: { type: "string" },
  },
});
const call = { signal: new AbortController().signal };
const domain = "111122223333";

function openModel() {
  const clock = new VirtualClock();
  const random = seededRandom("scale");
  const repository = deriveRepository("00".repeat(16), [random.bytes(32)]);
  const inner = openScaleStore({ now: () => clock.now(), bytes: keepInFile(process.env["SCALE_FILE"]!) });
  const store = openCountingObjectStore(inner);
  const keys = repository.domainKeys(domain);
  return { clock, random, repository, inner, store, keys, logger: silentLogger };
}
type Model = ReturnType<typeof openModel>;

async function backUp(model: Model, backup: { source: BlockSource; parent?: string; threads?: number }) {
  await model.clock.advance(3_600_000);
  const sessionId = newSessionId(model);
  const dataKey = model.repository.sessionDataKey(domain, sessionId, 1);
  return backupVolumes(
    model,
    {
      grant: { sessionId, laneId: newLaneId(model.random), dataKey, epoch: 1 },
      series: "disk",
      ...(backup.threads === undefined ? {} : { threads: backup.threads }),
      volumes: [{ volumeId: "vol-1", source: backup.source }],
      description: {},
      ...(backup.parent === undefined ? {} : { parent: backup.parent }),
    },
    call,
  );
}

/** Prints one line: what it took, and by what the requests grew. */
async function measure<Result>(model: Model, title: string, run: () => Promise<Result>): Promise<Result> {
  const before = { ...model.store.counts };
  const startedAt = performance.now();
  let peakBytes = process.memoryUsage.rss();
  const poll = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 20);
  const result = await run();
  clearInterval(poll);
  const seconds = (performance.now() - startedAt) / 1000;
  const { creates, reads, lists } = model.store.counts;
  const requests = `${creates - before.creates} | ${reads - before.reads} | ${lists - before.lists}`;
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  console.log(
    `| ${title} | ${seconds.toFixed(2)} | ${requests} | ${(heapUsed / MiB).toFixed(0)} | ${(peakBytes / MiB).toFixed(0)} |`,
  );
  return result;
}

function openReader(model: Model, point: string) {
  const series = seriesHash(model.keys, "disk");
  return readRecord(model, { series: "disk", sessionId: point }, call).then((record) =>
    openVolumeReader(model, { series, volume: record.volumes[0]! }, call),
  );
}

const held = (leaf: Leaf | undefined) => (leaf ?? []).filter((entry) => entry !== undefined).length;

async function walk(model: Model, point: string): Promise<number> {
  let entries = 0;
  for await (const { leaf } of walkVolume(await openReader(model, point), { withEmpty: false }))
    entries += held(leaf);
  return entries;
}

async function check(model: Model): Promise<number> {
  let findings = 0;
  const plan = { level: "structure", domain, threads: 0 } as const;
  for await (const _ of checkRepository(model, plan, call)) findings++;
  return findings;
}

/** Leaves in which two points differ, by the ids of their pages. */
async function diff(model: Model, points: readonly [string, string]): Promise<number> {
  const [left, right] = await Promise.all(points.map((point) => openReader(model, point)));
  let leaves = 0;
  for (const slot of left!.volume.root.keys()) {
    const ids = [left!.volume.root[slot]?.id, right!.volume.root[slot]?.id];
    if (sameId(ids[0], ids[1])) continue;
    const [a, b] = [await left!.interior(slot), await right!.interior(slot)];
    for (let child = 0; child < 512; child++) if (!sameId(a?.[child]?.id, b?.[child]?.id)) leaves++;
  }
  return leaves;
}

const sameId = (left: Uint8Array | undefined, right: Uint8Array | undefined) =>
  left === right || (left !== undefined && right !== undefined && Buffer.compare(left, right) === 0);

async function measureVolume(stored: number): Promise<void> {
  const model = openModel();
  const disk = { blocks: (16 * TiB) / blockSizeBytes, stored };
  const title = (text: string) => `16 TiB, ${stored} blocks stored: ${text}`;
  const full = await measure(model, title("full backup"), () => backUp(model, { source: ruledSource(disk) }));
  const source = ruledSource({ ...disk, changedPerMille: 10, generation: 1 });
  const next = await measure(model, title("1 % changed"), () =>
    backUp(model, { source, parent: full.point }),
  );
  const entries = await measure(model, title("all pages walked, as a restore does"), () =>
    walk(model, next.point),
  );
  if (entries !== stored) throw new Error(`${entries} blocks in the map, not ${stored}`);
  const leaves = await measure(model, title("diff of the two"), () => diff(model, [full.point, next.point]));
  const findings = await measure(model, title("structure check"), () => check(model));
  console.log(
    `${leaves} leaves differ; ${findings} findings; the store holds ${(model.inner.bytesKept() / MiB).toFixed(0)} MiB`,
  );
}

async function measureSeries(points: number): Promise<void> {
  const model = openModel();
  const disk = { blocks: 20_000, stored: 500 };
  const title = (text: string) => `series of ${points} points: ${text}`;
  let { point } = await backUp(model, { source: ruledSource(disk) });
  await measure(model, title("made"), async () => {
    for (let generation = 1; generation < points - 1; generation++) {
      const source = ruledSource({ ...disk, changedPerMille: 2, generation });
      ({ point } = await backUp(model, { source, parent: point, threads: 0 }));
    }
  });
  const source = ruledSource({ ...disk, changedPerMille: 2, generation: points });
  await measure(model, title("one more backup"), () => backUp(model, { source, parent: point, threads: 0 }));
  await measure(model, title("newest point"), () => findNewestPoint(model, "disk", call));
  const listed = await measure(model, title("list"), () => listPoints(model, {}, call));
  const rules = { last: 10, daily: 30, monthly: 12, yearly: 7 };
  await measure(model, title("expiry planned"), async () => planExpiry(listed, rules, model.clock.now()));
  const findings = await measure(model, title("structure check"), () => check(model));
  console.log(
    `${listed.length} points; ${findings} findings; the store holds ${(model.inner.bytesKept() / MiB).toFixed(0)} MiB`,
  );
}

async function measureData(dataMiB: number): Promise<void> {
  const model = openModel();
  const blocks = (dataMiB * MiB) / blockSizeBytes;
  const source = ruledSource({ blocks, stored: blocks, weight: blockSizeBytes });
  await measure(model, `${dataMiB} MiB of data that can't be compressed`, () => backUp(model, { source }));
  const packs = Math.ceil(blocks / 63);
  const others = model.store.counts.creates - packs;
  const perTiB = (packs / (dataMiB * MiB)) * TiB;
  const marks = perTiB / 64;
  const maps = ((TiB / blockSizeBytes / 512) * 24_064) / (8 * MiB);
  console.log(
    `PUT a TiB: ${perTiB.toFixed(0)} packs + ${marks.toFixed(0)} marks with as many short map packs + ${maps.toFixed(0)} map packs + some ${others} once = ` +
      `${(perTiB + 2 * marks + maps + others).toFixed(0)} (limit 40,000)`,
  );
}

const parts: Readonly<Record<string, (size: number) => Promise<void>>> = {
  volume: measureVolume,
  series: measureSeries,
  data: measureData,
};

async function runPart(part: string, size: number): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const command = [process.execPath, "--expose-gc", program, "--part", part, "--size", String(size)];
  const { stdout, peakMiB, wallMs, cpuSeconds } = await measureProcess(command);
  process.stdout.write(stdout);
  console.log(
    `(whole part: ${(wallMs / 1000).toFixed(0)} s, CPU ${cpuSeconds.toFixed(0)} s, peak ${peakMiB.toFixed(0)} MiB, store included)\n`,
  );
}

async function runAll(): Promise<void> {
  console.log(`Models; ${(16 * TiB) / GiB} GiB volume. Times of this machine, requests of any.\n`);
  console.log(
    "| what | s | PUT | GET | LIST | heap MiB after | peak MiB |\n|---|---:|---:|---:|---:|---:|---:|",
  );
  const stored = Number(values.stored);
  const points = Number(values.points);
  for (const size of [stored / 8, stored]) await runPart("volume", size);
  for (const size of [points / 8, points]) await runPart("series", size);
  await runPart("data", Number(values.data));
}

const part = values.part === undefined ? undefined : parts[values.part];
await (part === undefined ? runAll() : part(Number(values.size)));
