import { createHash } from "node:crypto";
import type { Clock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { randomBelow, seededRandom, type Random } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { backupVolumes } from "../backup/backup-volumes.ts";
import type { BackupSummary } from "../backup/backup-plan.ts";
import { blockSizeBytes, type BlockSource } from "../disk/block-source.ts";
import type { BlockTarget } from "../disk/block-target.ts";
import { deriveRepository } from "../keys/derive-keys.ts";
import { defaultLimits, type EngineLimits } from "../backup/engine-limits.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { openMemoryObjectStore, type MemoryObjects } from "../store/memory-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { Repository } from "../keys/open-repository.ts";
import { restoreVolume } from "../restore/restore-volume.ts";
import type { PointAddress } from "../point/read-point.ts";
import { newLaneId, newSessionId } from "../point/session-id.ts";

/** A repository in memory and disks in memory, for tests of the engine. */
export const call = { signal: new AbortController().signal };

/** Packs of a few blocks and a mark after each one, so that small disks reach every path. */
export const smallLimits: EngineLimits = {
  ...defaultLimits,
  packBytes: 544 * 1024,
  mapPackBytes: 64 * 1024,
  packsPerMark: 1,
  leavesPerMark: 2,
  recentChunks: 16,
};

export class MemoryDisk {
  readonly blocks = new Map<number, Uint8Array>();
  readonly sizeBytes: number;
  /** Blocks that a source of this disk has been asked for. */
  readonly reads: number[] = [];
  #state = 0;

  constructor(blockCount: number) {
    this.sizeBytes = blockCount * blockSizeBytes;
  }

  /** Fills a block with content of about `weight` bytes when compressed. */
  write(index: number, random: Random, weight = 1000): void {
    const bytes = new Uint8Array(blockSizeBytes);
    // One seed stretched: drawing every byte from the seeded stream would be the slowest part of each test.
    bytes.set(hash(random.bytes(16), weight));
    this.put(index, bytes);
  }

  put(index: number, bytes: Uint8Array): void {
    this.#state++;
    this.blocks.set(index, bytes);
  }

  erase(index: number): void {
    this.#state++;
    this.blocks.delete(index);
  }

  /** What is on the disk now, to compare with later. */
  copy(): ReadonlyMap<number, Uint8Array> {
    return new Map(this.blocks);
  }

  /** With `changed`, only these blocks are listed; ones that are not on the disk read as zeros. */
  source(changed?: readonly number[]): BlockSource {
    const frozen = this.copy();
    const indexes = (changed ?? [...frozen.keys()]).toSorted((left, right) => left - right);
    return {
      sizeBytes: this.sizeBytes,
      identity: `memory:${this.#state}`,
      coverage: changed === undefined ? "full" : "changes",
      list: async function* ({ fromBlock = 0 }) {
        for (const index of indexes) {
          if (index >= fromBlock) yield { index, isZero: !frozen.has(index) };
        }
      },
      locate: async function* (blocks) {
        for (const index of blocks) yield { index, isZero: !frozen.has(index) };
      },
      read: async ({ index }, into) => {
        this.reads.push(index);
        into.set(frozen.get(index)!);
        return {};
      },
      close: async () => undefined,
    };
  }
}

function hash(seed: Uint8Array, outputLength: number): Uint8Array {
  return createHash("shake256", { outputLength }).update(seed).digest();
}

/** A target that keeps what it is given. */
export function memoryTarget(): BlockTarget & { readonly blocks: Map<number, Uint8Array> } {
  const blocks = new Map<number, Uint8Array>();
  return {
    isZeroFilled: true,
    blocks,
    write: async ({ index, bytes }) => {
      blocks.set(index, new Uint8Array(bytes));
    },
    complete: async () => ({ blocksWritten: blocks.size, bytesWritten: 0, linearChecksum: "" }),
    close: async () => undefined,
  };
}

export interface Fixture {
  /** First epoch first. */
  readonly masterKeys: readonly Uint8Array[];
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly objects: MemoryObjects;
  readonly store: ObjectStore;
  readonly repository: Repository;
  readonly keys: DomainKeys;
}

export const fixtureDomain = "111122223333";

export function openFixture(seed: string | number): Fixture {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const store = openMemoryObjectStore(clock);
  const repositoryId = Buffer.from(random.bytes(16)).toString("hex");
  const masterKeys = [random.bytes(32)];
  const repository = deriveRepository(repositoryId, masterKeys);
  return {
    masterKeys,
    clock,
    random,
    objects: store.objects,
    store,
    repository,
    keys: repository.domainKeys(fixtureDomain),
  };
}

/** The same repository after a rotation of its keys; the fixture before goes on with the old ones. */
export function rotateFixture(fixture: Fixture): Fixture {
  const masterKeys = [...fixture.masterKeys, fixture.random.bytes(32)];
  const repository = deriveRepository(fixture.repository.repositoryId, masterKeys);
  return { ...fixture, masterKeys, repository, keys: repository.domainKeys(fixtureDomain) };
}

export interface FixtureBackup {
  readonly source: BlockSource;
  readonly series?: string;
  readonly volumeId?: string;
  readonly parent?: string;
  readonly sessionId?: string;
  readonly store?: ObjectStore;
  readonly limits?: EngineLimits;
  readonly clock?: Clock;
  readonly promisedUntilMs?: number;
  /** Default: in place. */
  readonly threads?: number;
  readonly lookAlikes?: readonly PointAddress[];
  readonly verifySample?: number;
}

export async function backUp(fixture: Fixture, backup: FixtureBackup): Promise<BackupSummary> {
  const { random, keys, repository } = fixture;
  const clock = backup.clock ?? fixture.clock;
  const sessionId = backup.sessionId ?? (await drawSession(fixture));
  return backupVolumes(
    { store: backup.store ?? fixture.store, clock, random, logger: silentLogger, keys },
    {
      grant: {
        sessionId,
        laneId: newLaneId(random),
        epoch: keys.epoch,
        dataKey: repository.sessionDataKey(fixtureDomain, sessionId, keys.epoch),
      },
      series: backup.series ?? "disk",
      threads: backup.threads ?? 0,
      concurrency: 1 + randomBelow(random, 4),
      limits: backup.limits ?? smallLimits,
      volumes: [{ volumeId: backup.volumeId ?? "vol-1", source: backup.source }],
      description: { secret: "user data" },
      ...(backup.verifySample === undefined ? {} : { verifySample: backup.verifySample }),
      ...(backup.parent === undefined ? {} : { parent: backup.parent }),
      ...(backup.promisedUntilMs === undefined ? {} : { promisedUntilMs: backup.promisedUntilMs }),
      ...(backup.lookAlikes === undefined ? {} : { lookAlikes: backup.lookAlikes }),
    },
    call,
  );
}

/** Sessions a second apart, so that their ids sort in the order of their making. */
export async function drawSession(fixture: Fixture): Promise<string> {
  await fixture.clock.advance(1000);
  return newSessionId(fixture);
}

export async function restore(
  fixture: Fixture,
  point: string,
  options: { readonly series?: string; readonly volumeId?: string; readonly store?: ObjectStore } = {},
): Promise<ReadonlyMap<number, Uint8Array>> {
  const target = memoryTarget();
  await restoreVolume(
    {
      store: options.store ?? fixture.store,
      keys: fixture.keys,
      logger: silentLogger,
      sessionKeys: (session, epoch) => fixture.repository.sessionDataKey(fixtureDomain, session, epoch),
    },
    { series: options.series ?? "disk", point, volumeId: options.volumeId ?? "vol-1", target, threads: 0 },
    call,
  );
  return target.blocks;
}

/** The first block in which two disks differ, or nothing. */
export function firstDifference(
  left: ReadonlyMap<number, Uint8Array>,
  right: ReadonlyMap<number, Uint8Array>,
): number | undefined {
  const indexes = [...new Set([...left.keys(), ...right.keys()])].toSorted((a, b) => a - b);
  const zero = Buffer.alloc(blockSizeBytes);
  return indexes.find((index) => Buffer.compare(left.get(index) ?? zero, right.get(index) ?? zero) !== 0);
}
