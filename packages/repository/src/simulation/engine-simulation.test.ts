import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { randomBelow, randomFraction } from "@garrison/core/random";
import { checkRepository } from "../check/check-repository.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "./engine-fixture.ts";
import { endPoint, fenceSession } from "../keeper/end-session.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { listPoints } from "../point/list-points.ts";
import { openRetryingObjectStore } from "../store/retrying-object-store.ts";

/**
 * Seeded histories of backups that fail, resume, are abandoned or fenced, and of points that end, against a model that
 * knows all plain bytes. Survivable faults: any call lost before or after its effect, a writer that dies at any call.
 */
const histories = 12;
const stepsEach = 8;
const limits = { ...smallLimits, packBytes: 120 * 1024, packsPerMark: 2 };
const death = new GarrisonError("aborted", "the writer was killed");
const lost = new GarrisonError("store-unavailable", "the call was lost");

interface Point {
  readonly series: string;
  readonly blocks: ReadonlyMap<number, Uint8Array>;
}

class History {
  readonly fixture: Fixture;
  readonly disks = new Map([
    ["a", new MemoryDisk(1500)],
    ["b", new MemoryDisk(600)],
  ]);
  readonly points = new Map<string, Point>();
  readonly #dirty = new Map<string, Map<string, Set<number>>>();

  constructor(seed: number) {
    this.fixture = openFixture(`history ${seed}`);
  }

  async step(): Promise<void> {
    const { random } = this.fixture;
    const series = randomFraction(random) < 0.7 ? "a" : "b";
    this.#write(series);
    const choice = randomFraction(random);
    if (choice < 0.75) await this.#backUp(series);
    else if (choice < 0.9) await this.#endOne();
    await this.verify();
  }

  async verify(): Promise<void> {
    const listed = await listPoints(this.fixture, {}, call);
    expect(listed.map((point) => point.sessionId).sort()).toEqual([...this.points.keys()].sort());
    for (const [point, { series, blocks }] of this.points) {
      const restored = await restore(this.fixture, point, { series });
      expect(firstDifference(restored, blocks), `${point} of ${series}`).toBeUndefined();
    }
  }

  #write(series: string): void {
    const { random } = this.fixture;
    const disk = this.disks.get(series)!;
    const blocks = disk.sizeBytes / 524_288;
    for (let writes = randomBelow(random, 4); writes >= 0; writes--) {
      const index = randomBelow(random, blocks);
      if (randomFraction(random) < 0.2) disk.erase(index);
      else disk.write(index, random, randomBelow(random, 60_000));
      for (const dirty of this.#dirty.get(series)?.values() ?? []) dirty.add(index);
    }
  }

  async #backUp(series: string): Promise<void> {
    const { fixture } = this;
    const disk = this.disks.get(series)!;
    const parents = [...this.points].filter(([, point]) => point.series === series).map(([id]) => id);
    const parent = parents[randomBelow(fixture.random, parents.length + 1)];
    const changed =
      parent === undefined || randomFraction(fixture.random) < 0.3
        ? undefined
        : [...this.#dirty.get(series)!.get(parent)!];
    const sessionId = await drawSession(fixture);
    const backup = {
      source: disk.source(changed),
      series,
      sessionId,
      limits,
      ...(parent === undefined ? {} : { parent }),
    };
    for (let lives = randomBelow(fixture.random, 3); lives > 0; lives--) {
      const store = this.#unreliableStore(5 + randomBelow(fixture.random, 25));
      await backUp(fixture, { ...backup, store }).catch((error: unknown) => {
        if (error !== death && error !== lost) throw error;
      });
    }
    if (randomFraction(fixture.random) < 0.2) await this.#abandon(series, sessionId);
    else await backUp(fixture, { ...backup, store: this.#unreliableStore(undefined) });
    const isCommitted = (await listPoints(fixture, { series }, call)).some(
      (point) => point.sessionId === sessionId,
    );
    if (isCommitted) this.#remember(series, sessionId);
  }

  #remember(series: string, point: string): void {
    this.points.set(point, { series, blocks: this.disks.get(series)!.copy() });
    const dirty = this.#dirty.get(series) ?? new Map<string, Set<number>>();
    this.#dirty.set(series, dirty.set(point, new Set()));
  }

  async #abandon(series: string, sessionId: string): Promise<void> {
    if (randomFraction(this.fixture.random) < 0.5) return;
    await fenceSession(this.#keeper(), { series, sessionId }, call);
  }

  async #endOne(): Promise<void> {
    const [sessionId, point] =
      [...this.points][randomBelow(this.fixture.random, Math.max(1, this.points.size))] ?? [];
    if (sessionId === undefined) return;
    await endPoint(this.#keeper(), { series: point!.series, sessionId }, call);
    this.points.delete(sessionId);
  }

  #keeper() {
    return { ...this.fixture, controlPrivateKey: this.fixture.repository.controlPrivateKey(fixtureDomain) };
  }

  /** Loses a tenth of the calls, before or after their effect; dies for good at call `deathAt`. */
  #unreliableStore(deathAt: number | undefined) {
    const { random, store, clock } = this.fixture;
    const faulty = openFaultyObjectStore(store, ({ number }) => {
      if (deathAt !== undefined && number >= deathAt) {
        return {
          when: number === deathAt && randomFraction(random) < 0.5 ? "after" : "before",
          error: death,
        };
      }
      if (randomFraction(random) > 0.1) return undefined;
      return { when: randomFraction(random) < 0.5 ? "before" : "after", error: lost };
    });
    const policy = { maxAttempts: 20, baseDelayMs: 0, maxDelayMs: 0 };
    const instant = { now: () => clock.now(), sleep: async () => undefined };
    return openRetryingObjectStore({ clock: instant, random, policy }, faulty);
  }
}

describe("whatever happens to writers", () => {
  test.each(Array.from({ length: histories }, (_, seed) => seed))(
    "every point stays restorable (history %i)",
    async (seed) => {
      const history = new History(seed);
      for (let step = 0; step < stepsEach; step++) await history.step();
      const found = [];
      const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
      for await (const finding of checkRepository(history.fixture, plan, call)) found.push(finding);
      expect(found).toEqual([]);
    },
  );
});
