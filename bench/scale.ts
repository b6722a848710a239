/**
 * What can't be tried at full size here, by models: a disk that is made by rule, and a store that keeps maps and records and
 * of packs only names and sizes. Prints time, requests and memory of a 16 TiB volume, of a series of 10,000 points, and the
 * requests of new data. Each part is a process of its own, so that its peak is its own; what the models' store keeps lies in
 * a file. Run: node bench/scale.ts [--only volume,series,data,prune] [--stored 1048576] [--points 10000] [--data 4096]
 * [--tib 64].
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../packages/core/src/logger.ts";
import { seededRandom } from "../packages/core/src/random.ts";
import { GiB, MiB, TiB } from "../packages/core/src/units.ts";
import { VirtualClock } from "../packages/core/src/virtual-clock.ts";
import { defaultLimits, type EngineLimits } from "../packages/repository/src/backup/engine-limits.ts";
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
import { endPoint } from "../packages/repository/src/keeper/end-session.ts";
import { executePrune } from "../packages/repository/src/prune/execute-prune.ts";
import { planPrune } from "../packages/repository/src/prune/plan-prune.ts";
import { planExpiry } from "../packages/repository/src/retention/plan-expiry.ts";
import { keepInFile } from "../packages/repository/src/simulation/kept-bytes.ts";
import { ruledSource } from "../packages/repository/src/simulation/ruled-source.ts";
import { openScaleStore } from "../packages/repository/src/simulation/scale-store.ts";
import { openCountingObjectStore } from "../packages/repository/src/store/counting-object-store.ts";
import { measureProcess } from "./measure-process.ts";
import { openPruneModel, writePruneModel } from "./prune-model.ts";

const { values } = parseArgs({
  options: {
    stored: { type: "string", default: "1048576" },
    points: { type: "string", default: "10000" },
    data: { type: "string", default: "4096" },
    tib: { type: "string", default: "64" },
    only: { type: "string", default: "volume,series,data,prune" },
    part: { type: "string" },
    size: { type: "string", default: "0" },
    folder: { type: "string", default: tmpdir() },
  },
});
const call = { signal: new AbortController().signal };
const domain = "111122223333";

function openModel() {
  const clock = new VirtualClock();
  const random = seededRandom("scale");
  const repository = deriveRepository("00".repeat(16), [random.bytes(32)]);
  const inner = openScaleStore({ now: () => clock.now(), bytes: keepInFile(join(values.folder, "bytes")) });
  const store = openCountingObjectStore(inner);
  const keys = repository.domainKeys(domain);
  return { clock, random, repository, inner, store, keys, logger: silentLogger };
}
type Model = ReturnType<typeof openModel>;

interface ModelBackup {
  readonly source: BlockSource;
  readonly parent?: string;
  readonly threads?: number;
  readonly limits?: EngineLimits;
  readonly onBlocks?: (blocksDone: number) => void;
}

async function backUp(model: Model, backup: ModelBackup) {
  const { source, onBlocks, ...rest } = backup;
  await model.clock.advance(3_600_000);
  const sessionId = newSessionId(model);
  const dataKey = model.repository.sessionDataKey(domain, sessionId, 1);
  return backupVolumes(
    { ...model, onProgress: ({ blocksDone }) => onBlocks?.(blocksDone) },
    {
      ...rest,
      grant: { sessionId, laneId: newLaneId(model.random), dataKey, epoch: 1 },
      series: "disk",
      volumes: [{ volumeId: "vol-1", source }],
      description: {},
    },
    call,
  );
}

/** Tells what each quarter of the blocks cost: straight lines, if time is linear and memory flat. */
function watchQuarters(stored: number): (blocksDone: number) => void {
  let [next, before] = [1, process.cpuUsage()];
  return (blocksDone) => {
    if (blocksDone < (stored * next) / 4) return;
    const { user, system } = process.cpuUsage(before);
    const perBlock = (user + system) / 1000 / (stored / 4);
    const resident = (process.memoryUsage.rss() / MiB).toFixed(0);
    console.log(
      `quarter ${next}: ${perBlock.toFixed(3)} ms of processor time a block, ${resident} MiB resident`,
    );
    [next, before] = [next + 1, process.cpuUsage()];
  };
}

/** Prints one line: what it took, and by what the requests grew. */
async function measure<Result>(
  model: Pick<Model, "store">,
  title: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const before = { ...model.store.counts };
  const startedAt = performance.now();
  const result = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const { creates, reads, lists } = model.store.counts;
  const requests = `${creates - before.creates} | ${reads - before.reads} | ${lists - before.lists}`;
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  // Of the process until now: a step that never waits for the outside would starve every timer that looks.
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(
    `| ${title} | ${seconds.toFixed(2)} | ${requests} | ${(heapUsed / MiB).toFixed(0)} | ${peakMiB.toFixed(0)} |`,
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

/** Two blocks a pack: a block in 32 then has as many packs, marks and lines in tables as 16 TiB of data. */
const smallPacks: EngineLimits = { ...defaultLimits, packBytes: 420 };

async function measureVolume(stored: number): Promise<void> {
  const model = openModel();
  const disk = { blocks: (16 * TiB) / blockSizeBytes, stored };
  const title = (text: string) => `16 TiB, ${stored} blocks stored: ${text}`;
  const full = await measure(model, title("full backup"), () =>
    backUp(model, { source: ruledSource(disk), limits: smallPacks, onBlocks: watchQuarters(stored) }),
  );
  const source = ruledSource({ ...disk, changedPerMille: 10, generation: 1 });
  const next = await measure(model, title("1 % changed"), () =>
    backUp(model, { source, parent: full.point, limits: smallPacks }),
  );
  const findings = await measure(model, title("structure check"), () => check(model));
  const leaves = await measure(model, title("diff of the two"), () => diff(model, [full.point, next.point]));
  const entries = await measure(model, title("all pages walked, as a restore does"), () =>
    walk(model, next.point),
  );
  if (entries !== stored) throw new Error(`${entries} blocks in the map, not ${stored}`);
  const kept = (model.inner.bytesKept() / MiB).toFixed(0);
  console.log(`${leaves} leaves differ; ${findings} findings; the store holds ${kept} MiB in a file`);
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
  const kept = (model.inner.bytesKept() / MiB).toFixed(0);
  console.log(`${listed.length} points; ${findings} findings; the store holds ${kept} MiB in a file`);
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

const modelPoints = 8;

/** Everything but the moves themselves, whose batches are bounded: a plan, and the deletion of what it says. */
async function measurePrune(tib: number): Promise<void> {
  const pruner = openPruneModel(values.folder);
  for (const { session } of pruner.points.slice(0, -2))
    await endPoint(pruner, { series: pruner.series, sessionId: session }, call);
  await pruner.clock.advance(1000);
  const model = { store: openCountingObjectStore(pruner.store) };
  const keeper = { ...pruner, store: model.store };
  const title = (text: string) => `${tib} TiB of data, ${modelPoints} points: ${text}`;
  const plan = await measure(model, title("prune planned"), () => planPrune(keeper, { graceMs: 0 }, call));
  const { candidates, later } = plan.moves;
  const whole = { ...plan, moves: { candidates: [], gainBytes: 0, later: 0 } };
  const summary = await measure(model, title("and executed"), () => executePrune(keeper, whole, call));
  const kept = plan.kept.map(({ why, packs }) => `${packs} ${why}`).join(", ");
  console.log(
    `packs: ${kept}, ${summary.packsDeleted} deleted; ${candidates.length} to be moved, ${later} later; ${plan.findings.length} findings`,
  );
}

const parts: Readonly<Record<string, (size: number) => Promise<void>>> = {
  volume: measureVolume,
  series: measureSeries,
  data: measureData,
  "prune-model": (tib) => writePruneModel(values.folder, { sizeBytes: tib * TiB, points: modelPoints }),
  prune: measurePrune,
};

/** A process of its own, started as the command is. */
async function runPart(part: string, size: number, folder: string): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const words = ["--part", part, "--size", String(size), "--folder", folder];
  const options = ["--expose-gc", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning"];
  const measured = await measureProcess([process.execPath, ...options, program, ...words]);
  const { stdout, peakMiB, wallMs, cpuSeconds } = measured;
  if (part === "prune-model") return;
  process.stdout.write(stdout);
  const wall = (wallMs / 1000).toFixed(0);
  console.log(`(whole part: ${wall} s, CPU ${cpuSeconds.toFixed(0)} s, peak ${peakMiB.toFixed(0)} MiB)\n`);
}

async function runAll(): Promise<void> {
  console.log(`Models; ${(16 * TiB) / GiB} GiB volume. Times of this machine, requests of any.\n`);
  console.log(
    "| what | s | PUT | GET | LIST | heap MiB after | peak MiB so far |\n|---|---:|---:|---:|---:|---:|---:|",
  );
  const [stored, points, tib] = [values.stored, values.points, values.tib].map(Number) as [
    number,
    number,
    number,
  ];
  const runs: readonly (readonly [only: string, part: string, size: number])[] = [
    ["volume", "volume", stored / 8],
    ["volume", "volume", stored],
    ["series", "series", points / 8],
    ["series", "series", points],
    ["data", "data", Number(values.data)],
    ...[tib / 4, tib].flatMap((size) => [
      ["prune", "prune-model", size] as const,
      ["prune", "prune", size] as const,
    ]),
  ];
  const wanted = values.only.split(",");
  const folder = mkdtempSync(join(values.folder, "garrison-scale-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
  for (const [only, part, size] of runs) if (wanted.includes(only)) await runPart(part, size, folder);
}

const part = values.part === undefined ? undefined : parts[values.part];
await (part === undefined ? runAll() : part(Number(values.size)));
