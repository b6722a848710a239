import { createHash } from "node:crypto";
import { Writable } from "node:stream";
import { silentLogger } from "@garrison/core/logger";
import { randomBelow, type Random } from "@garrison/core/random";
import type { BackupSummary } from "../backup/backup-plan.ts";
import type { EngineLimits } from "../backup/engine-limits.ts";
import { newLaneId } from "../point/session-id.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { backupStream } from "../stream/backup-stream.ts";
import type { CutSizes } from "../stream/cut-sizes.ts";
import { restoreStream, type StreamRestoreSummary } from "../stream/restore-stream.ts";
import { call, drawSession, fixtureDomain, smallLimits, type Fixture } from "./engine-fixture.ts";

/** Streams in memory, for tests of the engine. */

/** The default sizes by 256: chunks of 4 KiB on average, leaves of some 1.3 MiB. */
export const smallCutSizes: CutSizes = {
  minBytes: 1024,
  normalBytes: 3360,
  maxBytes: 16 * 1024,
  strictBits: 14,
  looseBits: 10,
};

/** Content that doesn't compress, by a seed; one seed stretched, since drawing each byte would be slow. */
export function streamBytes(random: Random, length: number): Buffer {
  return length === 0
    ? Buffer.alloc(0)
    : createHash("shake256", { outputLength: length }).update(random.bytes(16)).digest();
}

/** `bytes` with `inserted` put in at `at`. */
export function withInsertion(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

/** Reads of random lengths. */
export async function* inReads(
  bytes: Uint8Array,
  random: Random,
  largest = 70_000,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = 1 + randomBelow(random, largest);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export interface FixtureStream {
  readonly input: Uint8Array | AsyncIterable<Uint8Array>;
  readonly series?: string;
  readonly parent?: string;
  readonly sessionId?: string;
  readonly identity?: string;
  readonly store?: ObjectStore;
  readonly limits?: EngineLimits;
  readonly cutSizes?: CutSizes;
}

export async function backUpStream(fixture: Fixture, stream: FixtureStream): Promise<BackupSummary> {
  const { random, keys, repository, clock } = fixture;
  const {
    series = "dump",
    identity = "stream:test",
    limits = smallLimits,
    cutSizes = smallCutSizes,
  } = stream;
  const sessionId = stream.sessionId ?? (await drawSession(fixture));
  const { epoch } = keys;
  const dataKey = repository.sessionDataKey(fixtureDomain, sessionId, epoch);
  return backupStream(
    { store: stream.store ?? fixture.store, clock, random, logger: silentLogger, keys },
    {
      grant: { sessionId, laneId: newLaneId(random), epoch, dataKey },
      series,
      identity,
      threads: 0,
      concurrency: 1 + randomBelow(random, 4),
      limits,
      cutSizes,
      input: stream.input instanceof Uint8Array ? inReads(stream.input, random) : stream.input,
      description: { kind: "stream" },
      ...(stream.parent === undefined ? {} : { parent: stream.parent }),
    },
    call,
  );
}

/** Collects what is written to it. */
export function memoryWritable(): { readonly target: Writable; readonly bytes: () => Buffer } {
  const parts: Buffer[] = [];
  const target = new Writable({
    write: (part: Buffer, _encoding, done) => {
      parts.push(Buffer.from(part));
      done();
    },
  });
  return { target, bytes: () => Buffer.concat(parts) };
}

export interface FixtureStreamRestore {
  readonly series?: string;
  readonly store?: ObjectStore;
  readonly offset?: number;
  readonly length?: number;
}

export async function restoreStreamBytes(
  fixture: Fixture,
  point: string,
  options: FixtureStreamRestore = {},
): Promise<{ readonly bytes: Buffer; readonly summary: StreamRestoreSummary }> {
  const { store = fixture.store, series = "dump", ...part } = options;
  const { target, bytes } = memoryWritable();
  const sessionKeys = (session: string, epoch: number) =>
    fixture.repository.sessionDataKey(fixtureDomain, session, epoch);
  const dependencies = { store, keys: fixture.keys, logger: silentLogger, sessionKeys };
  const summary = await restoreStream(dependencies, { series, point, target, threads: 0, ...part }, call);
  return { bytes: bytes(), summary };
}
