import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import { TokenBucket } from "@garrison/core/token-bucket";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { openBlockPace, type BlockPace } from "./block-pace.ts";

const signal = new AbortController().signal;
const policy: RetryPolicy = { maxAttempts: 10, baseDelayMs: 100, maxDelayMs: 10_000 };

/** AWS as far as quotas go: one bucket for the account, one for each snapshot, each call takes 20 ms. */
class QuotaServer {
  readonly clock = new VirtualClock();
  readonly #account: TokenBucket;
  readonly #snapshots = new Map<string, TokenBucket>();
  readonly #perSnapshot: number;
  readonly answered = new Map<string, number>();
  refused = 0;

  constructor(quota: { readonly account: number; readonly snapshot: number }) {
    this.#account = this.#bucket(quota.account);
    this.#perSnapshot = quota.snapshot;
  }

  async answer(snapshotId: string): Promise<void> {
    await this.clock.sleep(20, signal);
    const snapshot = this.#snapshots.get(snapshotId) ?? this.#bucket(this.#perSnapshot);
    this.#snapshots.set(snapshotId, snapshot);
    if (!this.#account.tryTake()) this.#refuse("ACCOUNT_THROTTLED");
    if (!snapshot.tryTake()) this.#refuse("RESOURCE_LEVEL_THROTTLE");
    this.answered.set(snapshotId, (this.answered.get(snapshotId) ?? 0) + 1);
  }

  #refuse(reason: string): never {
    this.refused += 1;
    throw new GarrisonError("aws-throttled", "reading a block", { details: { reason } });
  }

  #bucket(perSecond: number): TokenBucket {
    return new TokenBucket(this.clock, { capacity: perSecond, refillPerSecond: perSecond });
  }
}

interface Reader {
  readonly snapshotId: string;
  readonly pace: BlockPace;
  readonly callers: number;
}

/** Reads on and on, as a source does with so many blocks under way; what reaches the caller is collected. */
function read(server: QuotaServer, { snapshotId, pace, callers }: Reader, errors: unknown[]): void {
  const dependencies = { clock: server.clock, random: seededRandom(snapshotId) };
  const once = () => pace.run(snapshotId, signal, () => server.answer(snapshotId));
  for (let caller = 0; caller < callers; caller++) {
    void (async () => {
      for (;;) await retry(dependencies, { policy, signal }, once);
    })().catch((error: unknown) => errors.push(error));
  }
}

async function answeredIn(server: QuotaServer, seconds: number): Promise<Record<string, number>> {
  const before = new Map(server.answered);
  await server.clock.advance(seconds * 1000);
  return Object.fromEntries([...server.answered].map(([id, count]) => [id, count - (before.get(id) ?? 0)]));
}

describe("under a quota far below what was promised", () => {
  test("one reader settles at it, and no refusal reaches its caller", async () => {
    const server = new QuotaServer({ account: 200, snapshot: 1000 });
    const errors: unknown[] = [];
    read(server, { snapshotId: "snap-1", pace: openBlockPace(server.clock), callers: 32 }, errors);
    await answeredIn(server, 20);
    const refusedBefore = server.refused;
    const { "snap-1": answered = 0 } = await answeredIn(server, 30);
    expect(errors).toEqual([]);
    expect(answered / 30).toBeGreaterThan(0.7 * 200);
    expect(refusedBefore).toBeGreaterThan(0);
    expect((server.refused - refusedBefore) / answered).toBeLessThan(0.03);
  });

  test("a snapshot's own quota slows that snapshot only", async () => {
    const server = new QuotaServer({ account: 1000, snapshot: 100 });
    const pace = openBlockPace(server.clock);
    const errors: unknown[] = [];
    for (const snapshotId of ["snap-1", "snap-2"]) read(server, { snapshotId, pace, callers: 32 }, errors);
    await answeredIn(server, 20);
    const answered = await answeredIn(server, 30);
    expect(errors).toEqual([]);
    for (const each of Object.values(answered)) expect(each / 30).toBeGreaterThan(70);
  });
});

describe("two readers of one account", () => {
  test("of one process get equal parts, though one has eight times the calls waiting", async () => {
    const server = new QuotaServer({ account: 200, snapshot: 1000 });
    const pace = openBlockPace(server.clock, { perSecond: 150 });
    const errors: unknown[] = [];
    read(server, { snapshotId: "snap-1", pace, callers: 64 }, errors);
    read(server, { snapshotId: "snap-2", pace, callers: 8 }, errors);
    await answeredIn(server, 5);
    const { "snap-1": many = 0, "snap-2": few = 0 } = await answeredIn(server, 20);
    expect(errors).toEqual([]);
    expect(many + few).toBeGreaterThan(20 * 140);
    expect(few / (many + few)).toBeGreaterThan(0.45);
  });

  test("that know nothing of each other end up with like parts", async () => {
    const server = new QuotaServer({ account: 400, snapshot: 1000 });
    const errors: unknown[] = [];
    const early = openBlockPace(server.clock);
    read(server, { snapshotId: "snap-1", pace: early, callers: 32 }, errors);
    await answeredIn(server, 20);
    read(server, { snapshotId: "snap-2", pace: openBlockPace(server.clock), callers: 32 }, errors);
    await answeredIn(server, 60);
    const { "snap-1": first = 0, "snap-2": second = 0 } = await answeredIn(server, 60);
    expect(errors).toEqual([]);
    expect((first + second) / 60).toBeGreaterThan(0.7 * 400);
    expect(first / (first + second)).toBeGreaterThan(0.35);
    expect(first / (first + second)).toBeLessThan(0.65);
  });
});
