import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom, type Random } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { readFooter } from "../backup/load-resume.ts";
import { storeBase } from "../backup/session-bases.ts";
import { VerifiedPacks } from "../check/verified-packs.ts";
import type { ForwardedItem } from "../format/forward.ts";
import { maxPackBytes } from "../format/format-limits.ts";
import type { JsonObject } from "../format/json-fields.ts";
import { packName, packPrefix, parsePackName, seriesHash } from "../format/object-names.ts";
import { PackBuilder, type PackAddress } from "../format/pack-container.ts";
import { endPoint, fenceSession, giveUpSession } from "../keeper/end-session.ts";
import {
  commitMoves,
  openKeeperSession,
  storeForward,
  type KeeperSession,
} from "../keeper/keeper-session.ts";
import { writeNote, type NoteKind } from "../keeper/notes.ts";
import { addWrap } from "../keys/add-wrap.ts";
import { initRepository } from "../keys/init-repository.ts";
import { openKeyring } from "../keys/open-keyring.ts";
import { repositoryOf } from "../keys/open-repository.ts";
import { planRotation } from "../keys/plan-rotation.ts";
import { removeWrap } from "../keys/remove-wrap.ts";
import type { RepositorySecret } from "../keys/repository-secret.ts";
import { rotateKeys } from "../keys/rotate-keys.ts";
import { encodeSessions } from "../prune/session-sets.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { openMemoryObjectStore, type MemoryObjects } from "../store/memory-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { loadStoreTraits } from "../store/probe-store.ts";
import {
  backUp,
  call,
  drawSession,
  fixtureDomain,
  MemoryDisk,
  type Fixture,
  type FixtureBackup,
} from "./engine-fixture.ts";
import { backUpStream, streamBytes } from "./stream-fixture.ts";

export interface SamplePoint {
  readonly sessionId: string;
  readonly series: string;
  /** What its one volume, `vol-1`, holds (the rest is zero), or the bytes of a stream. */
  readonly content: ReadonlyMap<number, Uint8Array> | Uint8Array;
}

/** A small repository with every kind of object in it, and what must come out of it. */
export interface SampleRepository {
  readonly fixture: Fixture;
  /** All points that have not ended, oldest first. */
  readonly points: readonly SamplePoint[];
  readonly endedPoint: string;
  /** What was deleted while it was made: keys of before the rotation, packs that were moved. */
  readonly former: MemoryObjects;
}

const blockBytes = 300;
const death = new GarrisonError("aborted", "the writer was killed");
const locked = new GarrisonError("object-locked", "it is locked");

/**
 * Two key epochs; a series of full and incremental points across them, with a pack moved since; a series whose point was
 * resumed by a second lane from the marks of the first; a stream; a point that has ended, a session that was fenced, one
 * that gave up; a key that was retired and can't be deleted; notes. Equal seeds make equal bytes (of one Node version:
 * the compression may differ in another); another `contentSeed` makes other contents under the same names and keys.
 */
export async function buildSampleRepository(
  seed: string,
  secrets: readonly RepositorySecret[],
  contentSeed = "content",
): Promise<SampleRepository> {
  const content = seededRandom(contentSeed);
  const former: MemoryObjects = new Map();
  const base = openSampleStore(seed, former);
  const first = await initRepository(base, secrets, call);
  const old: Fixture = { ...base, masterKeys: [], repository: first, keys: first.domainKeys(fixtureDomain) };
  const disk = new MemoryDisk(1500);
  writeBlocks(disk, content, [0, 1, 2, 600, 601, 1400]);
  const points: SamplePoint[] = [await addPoint(old, disk, { source: disk.source(), series: "disk" })];
  writeBlocks(disk, content, [1, 700]);
  disk.erase(601);
  const parent = points[0]!.sessionId;
  points.push(await addPoint(old, disk, { source: disk.source([1, 601, 700]), series: "disk", parent }));
  points.push(await addResumedPoint(old, { content, base: parent }));
  const endedPoint = await endSome(old, content);
  const rotated = await rotate(old, secrets);
  await retireKey(rotated, secrets);
  writeBlocks(disk, content, [600, 1499]);
  const newer = { source: disk.source([600, 1499]), series: "disk", parent: points[1]!.sessionId };
  points.push(await addPoint(rotated, disk, newer));
  await movePacks(rotated, parent);
  await writeNotes(rotated);
  // The last of all: how it is cut depends on its content, and names drawn after that would, too.
  points.push(await addStream(rotated, streamBytes(content, 9000)));
  return { fixture: rotated, points, endedPoint, former };
}

/** A store in memory that puts aside what is deleted. */
function openSampleStore(seed: string, former: MemoryObjects) {
  const clock = new VirtualClock();
  const memory = openMemoryObjectStore(clock);
  const store: ObjectStore = {
    ...memory,
    async delete(key, deletion) {
      const object = memory.objects.get(key);
      if (object !== undefined) former.set(key, object);
      await memory.delete(key, deletion);
    },
  };
  return { random: seededRandom(seed), clock, store, objects: memory.objects };
}

function keeperOf(fixture: Fixture) {
  return { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
}

function writeBlocks(disk: MemoryDisk, random: Random, indexes: readonly number[]): void {
  for (const index of indexes) disk.write(index, random, blockBytes);
}

async function addPoint(
  fixture: Fixture,
  disk: MemoryDisk,
  backup: FixtureBackup & { readonly series: string },
): Promise<SamplePoint> {
  const { point } = await backUp(fixture, backup);
  return { sessionId: point, series: backup.series, content: disk.copy() };
}

/** The second lane names a base besides. */
async function addResumedPoint(
  fixture: Fixture,
  { content, base }: { readonly content: Random; readonly base: string },
): Promise<SamplePoint> {
  const disk = new MemoryDisk(2600);
  writeBlocks(disk, content, [0, 600, 1200, 1800, 2400]);
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), series: "resumed", sessionId };
  const dying = openFaultyObjectStore(fixture.store, ({ method, key }) =>
    method === "create" && key.includes("/point/") ? { when: "before", error: death } : undefined,
  );
  await backUp(fixture, { ...backup, store: dying }).catch(() => undefined);
  const added = { sessionId, base: { series: seriesHash(fixture.keys, "disk"), session: base } };
  await storeBase({ ...fixture, logger: silentLogger }, added, call);
  return addPoint(fixture, disk, backup);
}

async function addStream(fixture: Fixture, bytes: Uint8Array): Promise<SamplePoint> {
  const { point } = await backUpStream(fixture, { input: bytes });
  return { sessionId: point, series: "dump", content: bytes };
}

async function endSome(fixture: Fixture, content: Random): Promise<string> {
  const keeper = keeperOf(fixture);
  const disk = new MemoryDisk(20);
  writeBlocks(disk, content, [3, 4]);
  const { point } = await backUp(fixture, { source: disk.source(), series: "ended" });
  await endPoint(keeper, { series: "ended", sessionId: point }, call);
  await fenceSession(keeper, { series: "disk", sessionId: await drawSession(fixture) }, call);
  await giveUpSession(keeper, { series: "disk", sessionId: await drawSession(fixture) }, call);
  return point;
}

async function rotate(fixture: Fixture, secrets: readonly RepositorySecret[]): Promise<Fixture> {
  await fixture.clock.advance(60_000);
  const keyring = await openKeyring(fixture, { secrets, every: true }, call);
  await rotateKeys(fixture, { keyring, plan: planRotation(keyring), secrets }, call);
  const after = await openKeyring(fixture, { secrets, every: true }, call);
  const repository = repositoryOf(after);
  const { masterKeys } = after;
  return { ...fixture, masterKeys, repository, keys: repository.domainKeys(fixtureDomain) };
}

/** A third key, of a person who has left: the store refuses to delete it. */
async function retireKey(fixture: Fixture, secrets: readonly RepositorySecret[]): Promise<void> {
  const keyring = await openKeyring(fixture, { secrets, every: true }, call);
  const secret = { masterSecret: fixture.random.bytes(32) };
  const wrapId = await addWrap(fixture, { keyring, secret, label: "left" }, call);
  const holding = openFaultyObjectStore(fixture.store, ({ method }) =>
    method === "delete" ? { when: "before", error: locked } : undefined,
  );
  await removeWrap({ ...fixture, store: holding }, { keyring, wrapId }, call);
}

/** A note of each kind. */
async function writeNotes(fixture: Fixture): Promise<void> {
  const noSessions = encodeSessions([]);
  const bodies: Readonly<Record<NoteKind, JsonObject>> = {
    audit: noSessions,
    catalogue: { parts: [noSessions, noSessions] },
    findings: { packs: [], volumes: [] },
    locks: { sessions: [] },
    verified: { runs: Buffer.from(new VerifiedPacks().encode()).toString("base64") },
  };
  for (const [kind, body] of Object.entries(bodies)) {
    await writeNote(keeperOf(fixture), { kind: kind as NoteKind, body }, call);
  }
  await loadStoreTraits(fixture, call);
}

/** Moves the first pack of a session and its first map pack, as a prune would. */
async function movePacks(fixture: Fixture, session: string): Promise<void> {
  await fixture.clock.advance(60_000);
  const keeper = keeperOf(fixture);
  const moves = await openKeeperSession(keeper, { bases: [] }, call);
  const packs = [];
  for (const kind of ["pack", "map"] as const) {
    for await (const { key } of fixture.store.list(packPrefix(fixtureDomain, kind, session), call)) {
      packs.push({ lane: moves.laneId, kind, ...(await movePack(fixture, parsePackName(key)!, moves)) });
      await fixture.store.delete(key, call);
      break;
    }
  }
  await commitMoves(keeper, { session: moves, packs }, call);
}

async function movePack(fixture: Fixture, origin: PackAddress, moves: KeeperSession) {
  const { keys, store } = fixture;
  const bytes = await store.read(packName(fixtureDomain, origin.kind, origin), call);
  const target = { kind: origin.kind, session: moves.sessionId, lane: moves.laneId, number: 0 };
  const buffer = Buffer.alloc(maxPackBytes);
  const builder = new PackBuilder(target, { keys, itemKey: new Uint8Array(32) }, buffer);
  const items: ForwardedItem[] = [];
  for (const entry of await readFooter(fixture, { address: origin, sizeBytes: bytes.length }, call)) {
    const { offset, length, codec } = entry;
    const place = builder.appendSealed(entry, bytes.subarray(offset, offset + length));
    items.push({ offset, length, newOffset: place.offset, newLength: length, codec });
  }
  const moved = builder.finish();
  await store.create(packName(fixtureDomain, target.kind, target), moved, call);
  await storeForward(keeperOf(fixture), { kind: origin.kind, origin, target, items }, call);
  return { number: target.number, items: items.length, sizeBytes: moved.length };
}
