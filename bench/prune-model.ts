/**
 * A repository too large to be made here, in a folder: one volume of data that can't be compressed, full at its first restore
 * point and with one block in a hundred changed at each later one. Records, tables and what a keeper notes are real; packs and
 * forwards are listed by rule. Of the packs a quarter is thin by the last point, an eighth dead, and a tenth was moved before.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../packages/core/src/logger.ts";
import { seededRandom } from "../packages/core/src/random.ts";
import { MiB } from "../packages/core/src/units.ts";
import { VirtualClock } from "../packages/core/src/virtual-clock.ts";
import { openPageWriter } from "../packages/repository/src/backup/page-writer.ts";
import { PackStream } from "../packages/repository/src/backup/pack-stream.ts";
import { blockSizeBytes } from "../packages/repository/src/disk/block-source.ts";
import { itemKinds } from "../packages/repository/src/format/format-limits.ts";
import { emptyInterior } from "../packages/repository/src/format/interior-page.ts";
import {
  forwardPrefix,
  packPrefix,
  pointName,
  seriesHash,
  type PackKind,
} from "../packages/repository/src/format/object-names.ts";
import { encodePackTable, PackTable } from "../packages/repository/src/format/pack-table.ts";
import {
  encodeRecord,
  sealDescription,
  type PointRecord,
} from "../packages/repository/src/format/point-record.ts";
import { encodeObject } from "../packages/repository/src/format/sealed-object.ts";
import { encodeMoves } from "../packages/repository/src/format/session-objects.ts";
import { writeNote } from "../packages/repository/src/keeper/notes.ts";
import { movesSeriesHash } from "../packages/repository/src/keeper/keeper-session.ts";
import { signObject } from "../packages/repository/src/keeper/sign-object.ts";
import { deriveRepository } from "../packages/repository/src/keys/derive-keys.ts";
import { newLaneId, newSessionId } from "../packages/repository/src/point/session-id.ts";
import { encodeSessions } from "../packages/repository/src/prune/session-sets.ts";
import { keepInFile } from "../packages/repository/src/simulation/kept-bytes.ts";
import { openScaleStore, type SavedObject } from "../packages/repository/src/simulation/scale-store.ts";

const domain = "111122223333";
const packItems = 63;
const packBytes = 33_100_000;
/** A mark after so many packs closes the map pack that is being filled. */
const packsPerMark = 64;
const leavesPerMapPack = 8;
const movedEach = 10;
const thinEach = 4;
const deadEach = 8;
const originsPerTarget = 4;
const targetsPerSession = 4000;

interface ModelPoint {
  readonly session: string;
  readonly lane: string;
  readonly packs: number;
  readonly mapPacks: number;
}

interface ModelMoves {
  readonly session: string;
  readonly lane: string;
}

interface SavedModel {
  readonly objects: readonly SavedObject[];
  readonly bytesEnd: number;
  readonly points: readonly ModelPoint[];
  readonly moves: readonly ModelMoves[];
  readonly nowMs: number;
}

const call = { signal: new AbortController().signal };
const series = "disk";

function openKeys() {
  const repository = deriveRepository("00".repeat(16), [Buffer.alloc(32, 7)]);
  const keys = repository.domainKeys(domain);
  return { repository, keys, controlPrivateKey: repository.controlPrivateKey(domain) };
}

/** Numbers of packs of the first point that were moved by an earlier pass. */
const isMoved = (number: number) => number % movedEach === 3;

export async function writePruneModel(
  folder: string,
  model: { readonly sizeBytes: number; readonly points: number },
): Promise<void> {
  const clock = new VirtualClock();
  const random = seededRandom("prune model");
  const bytes = keepInFile(join(folder, "bytes"));
  const store = openScaleStore({ now: () => clock.now(), bytes });
  const maker = { ...openKeys(), clock, random, store, logger: silentLogger };
  const blocks = model.sizeBytes / blockSizeBytes;
  const points: ModelPoint[] = [];
  const references: Uint8Array[] = [];
  for (let generation = 0; generation < model.points; generation++) {
    await clock.advance(86_400_000);
    const packs = Math.ceil((generation === 0 ? blocks : blocks / 100) / packItems);
    const mapPacks = Math.ceil(packs / packsPerMark);
    const [session, lane] = [newSessionId(maker), newLaneId(random)];
    points.push({ session, lane, packs, mapPacks });
    for (const older of references)
      dropChanged(older, { generation, lost: Math.ceil(40 / (model.points - 1)) });
    references.push(new Uint8Array(packs).fill(packItems));
    await writePoint(maker, { points, references, sizeBytes: model.sizeBytes });
  }
  const moves = await writeMoves(maker, points[0]!.packs);
  await clock.advance(86_400_000);
  const audited = points.map(({ session }) => ({ series: seriesHash(maker.keys, series), session }));
  await writeNote(maker, { kind: "audit", body: encodeSessions(audited) }, call);
  const saved: SavedModel = {
    objects: store.save(),
    bytesEnd: bytes.end(),
    points,
    moves,
    nowMs: clock.now(),
  };
  bytes.close();
  writeFileSync(join(folder, "model.json"), JSON.stringify(saved));
}

/** Each point takes a reference or none away, from one pack in four so many that less than half is left in the end; of one in eight nothing is left. */
function dropChanged(
  references: Uint8Array,
  { generation, lost }: { readonly generation: number; readonly lost: number },
): void {
  for (let number = 0; number < references.length; number++) {
    const some = (Math.imul(number + 1, 40_503) + generation) & 1;
    const taken = number % deadEach === 5 ? packItems : number % thinEach === 1 ? lost : some;
    references[number] = Math.max(number % deadEach === 5 ? 0 : 1, references[number]! - taken);
  }
}

type Maker = ReturnType<typeof openKeys> & {
  readonly clock: VirtualClock;
  readonly random: ReturnType<typeof seededRandom>;
  readonly store: ReturnType<typeof openScaleStore>;
};

async function writePoint(
  maker: Maker,
  made: {
    readonly points: readonly ModelPoint[];
    readonly references: readonly Uint8Array[];
    readonly sizeBytes: number;
  },
): Promise<void> {
  const { keys, random, store, repository } = maker;
  const { session } = made.points.at(-1)!;
  const lane = newLaneId(random);
  const place = { series: seriesHash(keys, series), volumeId: "vol-1" };
  const stream = new PackStream(
    {
      store,
      keys,
      session,
      lane,
      kind: "map",
      secret: keys.mapKey,
      packBytes: 8 * MiB,
      packsInFlight: 1,
    },
    call,
  );
  const pages = openPageWriter({ keys, session, lane }, stream);
  const plain = encodePackTable(tableOf(made.points, made.references));
  const tables = await pages.writeParts(place, { kind: itemKinds.table, volume: 0, plain });
  await stream.flush();
  const name = pointName(keys.domain, place.series, session);
  const dataKey = repository.sessionDataKey(domain, session, 1);
  const blocks = Math.ceil(made.sizeBytes / blockSizeBytes);
  const counts = {
    blocksListed: blocks,
    blocksRead: blocks,
    bytesRead: made.sizeBytes,
    blocksStored: blocks,
  };
  const record: PointRecord = {
    session,
    lane,
    series,
    name: series,
    createdAtMs: maker.clock.now(),
    durationMs: 1,
    bases: [],
    seen: { count: 0, sha256: "00".repeat(32) },
    volumes: [
      {
        ...counts,
        volumeId: place.volumeId,
        sizeBytes: made.sizeBytes,
        identity: `model:${session}`,
        coverage: "full",
        bytesStored: made.sizeBytes,
        blocksReused: 0,
        blocksResumed: 0,
        blocksHeld: blocks,
        root: emptyInterior(),
        tables,
        hooks: [],
      },
    ],
    tablePacks: stream.takeStored().map(({ number, items, sizeBytes }) => ({ number, items, sizeBytes })),
    description: sealDescription({ dataKey, name, random }, {}),
  };
  await store.create(
    name,
    encodeObject(keys, random, { name, kind: "record", body: encodeRecord(record) }),
    call,
  );
}

function tableOf(points: readonly ModelPoint[], references: readonly Uint8Array[]): PackTable {
  const table = new PackTable();
  for (const [at, { session, lane, packs, mapPacks }] of points.entries()) {
    for (let number = 0; number < packs; number++) {
      table.addReference("pack", { session, lane, number }, references[at]![number]!);
      table.describe("pack", { session, lane, number }, { items: packItems, sizeBytes: packBytes, epoch: 1 });
    }
    for (let number = 0; number < mapPacks; number++) {
      table.addReference("map", { session, lane, number }, leavesPerMapPack);
      table.describe(
        "map",
        { session, lane, number },
        { items: leavesPerMapPack, sizeBytes: 190_000, epoch: 1 },
      );
    }
  }
  return table;
}

const movedPacks = (packs: number) => Math.floor((packs + movedEach - 4) / movedEach);

async function writeMoves(maker: Maker, packs: number): Promise<readonly ModelMoves[]> {
  const { keys, store, random } = maker;
  const moves: ModelMoves[] = [];
  const targets = Math.ceil(movedPacks(packs) / originsPerTarget);
  for (let first = 0; first < targets; first += targetsPerSession) {
    await maker.clock.advance(1000);
    const [session, lane] = [newSessionId(maker), newLaneId(random)];
    const made = Array.from({ length: Math.min(targetsPerSession, targets - first) }, (_, number) => {
      return { lane, kind: "pack" as const, number, items: packItems, sizeBytes: packBytes };
    });
    const name = pointName(keys.domain, movesSeriesHash(keys), session);
    const body = encodeMoves({ session, packs: made });
    await store.create(name, signObject(maker, { name, kind: "moves", body }), call);
    moves.push({ session, lane });
  }
  return moves;
}

/** The model as a pass sees it. */
export function openPruneModel(folder: string) {
  const saved = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as SavedModel;
  const clock = new VirtualClock(saved.nowMs);
  const bytes = keepInFile(join(folder, "bytes"), saved.bytesEnd);
  const store = openScaleStore({ now: () => clock.now(), bytes, saved: saved.objects });
  const [first] = saved.points;
  for (const [at, point] of saved.points.entries()) {
    const isGone = at === 0 ? isMoved : () => false;
    store.addRuled(ruledPacks("pack", point, { count: point.packs, sizeBytes: packBytes, isGone }));
    store.addRuled(
      ruledPacks("map", point, { count: point.mapPacks, sizeBytes: 190_000, isGone: () => false }),
    );
  }
  const targets = Math.ceil(movedPacks(first!.packs) / originsPerTarget);
  for (const [at, move] of saved.moves.entries()) {
    const count = Math.min(targetsPerSession, targets - at * targetsPerSession);
    store.addRuled(ruledPacks("pack", move, { count, sizeBytes: packBytes, isGone: () => false }));
  }
  addForwards(store, saved);
  return {
    ...openKeys(),
    clock,
    random: seededRandom("pass"),
    store,
    logger: silentLogger,
    series,
    points: saved.points,
  };
}

const numberText = (number: number) => number.toString(16).padStart(8, "0");

function ruledPacks(
  kind: PackKind,
  { session, lane }: ModelMoves,
  rule: { readonly count: number; readonly sizeBytes: number; readonly isGone: (number: number) => boolean },
) {
  const { count, sizeBytes, isGone } = rule;
  return {
    folder: packPrefix(domain, kind, session),
    begin: `${lane}-`,
    *list() {
      for (let number = 0; number < count; number++)
        if (!isGone(number)) yield { name: `${lane}-${numberText(number)}`, sizeBytes };
    },
    find(name: string) {
      const number = Number.parseInt(name.slice(lane.length + 1), 16);
      return number < count && !isGone(number) ? sizeBytes : undefined;
    },
  };
}

/** Each forward lies in a folder of its own, named for its pack; here one rule lists them all. */
function addForwards(store: ReturnType<typeof openScaleStore>, { points, moves }: SavedModel): void {
  const [{ session, lane, packs }] = points as [ModelPoint];
  const target = (index: number) => {
    const place = Math.floor(index / originsPerTarget);
    const move = moves[Math.floor(place / targetsPerSession)]!;
    return `${move.session}-${move.lane}-${numberText(place % targetsPerSession)}`;
  };
  store.addRuled({
    folder: forwardPrefix(domain, "pack", session),
    begin: `${lane}-`,
    *list() {
      let index = 0;
      for (let number = 3; number < packs; number += movedEach)
        yield { name: `${lane}-${numberText(number)}/${target(index++)}`, sizeBytes: 900 };
    },
    find: () => undefined,
  });
}
