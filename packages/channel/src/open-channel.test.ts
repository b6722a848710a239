import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { randomBelow, randomFraction, seededRandom, type Random } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { describe, expect, test } from "vitest";
import {
  applianceSide,
  defaultChannelLimits,
  windowSize,
  workerSide,
  type Channel,
  type ChannelLimits,
} from "./channel-options.ts";
import { loadOrCreateChannel, type ChannelStore } from "./channel-store.ts";
import { HostileQueue, noFaults, type HostileFaults } from "./hostile-queue.ts";
import { memoryChannelStore } from "./memory-channel-store.ts";
import { memoryMessageTransport } from "./memory-message-transport.ts";
import type { MessageTransport } from "./message-transport.ts";
import type { ToAppliance, ToWorker } from "./messages.ts";
import { openChannel } from "./open-channel.ts";
import { newIdentity, publicKeysOf, type PublicKeys } from "./peer-identity.ts";
import { openChannelKeys, sealMessage } from "./seal-message.ts";

const address = { installation: "0a1b2c3d", run: "run-1", worker: "d4c3b2a1" };
const signal = new AbortController().signal;

interface Pair {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly toWorker: MessageTransport;
  readonly toAppliance: MessageTransport;
  readonly applianceStore: ChannelStore;
  readonly workerStore: ChannelStore;
  readonly applianceKeys: PublicKeys;
  readonly workerKeys: PublicKeys;
}

async function newPair(seed: string | number, queues?: Partial<Pair>): Promise<Pair> {
  const clock = queues?.clock ?? new VirtualClock();
  const random = seededRandom(seed);
  const [applianceStore, workerStore] = [memoryChannelStore(), memoryChannelStore()];
  const applianceRecord = await loadOrCreateChannel({ store: applianceStore, random }, { signal });
  const workerRecord = await loadOrCreateChannel({ store: workerStore, random }, { signal });
  return {
    clock,
    random,
    toWorker: memoryMessageTransport(clock),
    toAppliance: memoryMessageTransport(clock),
    applianceStore,
    workerStore,
    applianceKeys: publicKeysOf(applianceRecord.identity),
    workerKeys: publicKeysOf(workerRecord.identity),
    ...queues,
  };
}

function openAppliance(pair: Pair, limits?: Partial<ChannelLimits>): Promise<Channel<ToAppliance, ToWorker>> {
  const { clock, random, toWorker, toAppliance, applianceStore: store, workerKeys: peer } = pair;
  const dependencies = {
    transportIn: toAppliance,
    transportOut: toWorker,
    store,
    clock,
    random,
    logger: silentLogger,
  };
  return openChannel(dependencies, { address, side: applianceSide, peer, limits }, { signal });
}

function openWorker(
  pair: Pair,
  limits?: Partial<ChannelLimits>,
  onTrouble?: (sentence: string) => void,
): Promise<Channel<ToWorker, ToAppliance>> {
  const { clock, random, toWorker, toAppliance, workerStore: store, applianceKeys: peer } = pair;
  const dependencies = {
    transportIn: toWorker,
    transportOut: toAppliance,
    store,
    clock,
    random,
    logger: silentLogger,
  };
  return openChannel(
    dependencies,
    { address, side: workerSide, peer, limits, ...(onTrouble === undefined ? {} : { onTrouble }) },
    { signal },
  );
}

const cancel = (taskId: string): ToWorker => ({ type: "cancel", taskId });
const needed = (taskId: string): ToAppliance => ({ type: "credentials-needed", taskId });

/** Reads what comes into `into`, keyed by sequence as a durable handler would, until the channel closes. */
async function read(
  channel: Channel<ToAppliance | ToWorker, never>,
  into: Map<number, string>,
  life?: Life,
): Promise<void> {
  for await (const { sequence, message } of channel.messages()) {
    if (life?.isOver === true) return;
    const text = "taskId" in message ? message.taskId : message.type;
    const known = into.get(sequence);
    if (known !== undefined && known !== text) throw new Error(`sequence ${sequence} came with two contents`);
    into.set(sequence, text);
  }
}

function inOrder(log: ReadonlyMap<number, string>): readonly string[] {
  const sequences = [...log.keys()];
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  return [...log.values()];
}

describe("a channel between appliance and worker", () => {
  test("carries messages both ways, in order", async () => {
    const pair = await newPair("both");
    const [appliance, worker] = [await openAppliance(pair), await openWorker(pair)];
    const [atWorker, atAppliance] = [new Map<number, string>(), new Map<number, string>()];
    const readers = [read(worker, atWorker), read(appliance, atAppliance)];
    for (let n = 0; n < 20; n++) {
      await appliance.send(cancel(`down-${n}`));
      await worker.send(needed(`up-${n}`));
    }
    await pair.clock.advance(5_000);
    expect(inOrder(atWorker)).toEqual(Array.from({ length: 20 }, (_, n) => `down-${n}`));
    expect(inOrder(atAppliance)).toEqual(Array.from({ length: 20 }, (_, n) => `up-${n}`));
    expect(appliance.counters()).toMatchObject({ sent: 20, repeated: 0, delivered: 20, unacknowledged: 0 });
    await Promise.all([appliance.close(), worker.close(), ...readers]);
  });

  test("hears the peer by its heartbeats, which are never handed over", async () => {
    const pair = await newPair("beats");
    const [appliance, worker] = [await openAppliance(pair), await openWorker(pair)];
    const log = new Map<number, string>();
    const readers = [read(worker, log), read(appliance, log)];
    await pair.clock.advance(10 * 60_000);
    expect(pair.clock.now() - worker.counters().lastHeardMs).toBeLessThan(
      2 * defaultChannelLimits.heartbeatMs,
    );
    expect([...log]).toEqual([]);
    await appliance.close();
    await pair.clock.advance(10 * 60_000);
    expect(pair.clock.now() - worker.counters().lastHeardMs).toBeGreaterThan(9 * 60_000);
    await Promise.all([worker.close(), ...readers]);
  });

  test("does not take replays of a silent peer for life", async () => {
    const pair = await newPair("replay");
    const [appliance, worker] = [await openAppliance(pair), await openWorker(pair)];
    const log = new Map<number, string>();
    const reader = read(worker, log);
    await appliance.send(cancel("once"));
    const copies: string[] = [];
    const { toWorker } = pair;
    const spy: MessageTransport = {
      ...toWorker,
      send: async (body, call) => {
        copies.push(body);
        await toWorker.send(body, call);
      },
    };
    await appliance.close();
    const listening = await openAppliance({ ...pair, toWorker: spy });
    await listening.send(cancel("twice"));
    await pair.clock.advance(2_000);
    await listening.close();
    const heardMs = worker.counters().lastHeardMs;
    for (let n = 0; n < 5; n++) {
      await pair.clock.advance(60_000);
      for (const body of copies) await toWorker.send(body, { signal });
    }
    await pair.clock.advance(5_000);
    expect(worker.counters().lastHeardMs).toBe(heardMs);
    expect(worker.counters().duplicates).toBeGreaterThanOrEqual(5);
    expect(inOrder(log)).toEqual(["once", "twice"]);
    await worker.close();
    await reader;
  });

  test("counts what strangers put on its queue and hands over none of it", async () => {
    const pair = await newPair("strangers");
    const worker = await openWorker(pair);
    const log = new Map<number, string>();
    const reader = read(worker, log);
    const stranger = newIdentity(pair.random);
    const record = await pair.applianceStore.load({ signal });
    const header = { version: 1, ...address, direction: "to-worker", sequence: 1, type: "cancel" } as const;
    const payload = Buffer.from(JSON.stringify({ acknowledged: 0, message: cancel("evil") }));
    const sealAs = (identity: typeof stranger, to: PublicKeys, changes: object) =>
      sealMessage(pair.random, openChannelKeys(identity, to), { header: { ...header, ...changes }, payload });
    await pair.toWorker.send("hello", { signal });
    await pair.toWorker.send(sealAs(stranger, pair.workerKeys, {}), { signal });
    await pair.toWorker.send(sealAs(record!.identity, publicKeysOf(stranger), {}), { signal });
    for (const changes of [
      { run: "run-2" },
      { worker: "w2" },
      { installation: "x" },
      { direction: "to-appliance" },
    ]) {
      await pair.toWorker.send(sealAs(record!.identity, pair.workerKeys, changes), { signal });
    }
    await pair.toWorker.send(sealAs(record!.identity, pair.workerKeys, { sequence: windowSize + 1 }), {
      signal,
    });
    await pair.clock.advance(5_000);
    expect(worker.counters()).toMatchObject({
      foreign: 5,
      forged: 1,
      damaged: 1,
      beyondWindow: 1,
      delivered: 0,
    });
    expect([...log]).toEqual([]);
    await worker.close();
    await reader;
  });

  test("fails by name when the peer sends what this version does not know", async () => {
    const pair = await newPair("version");
    const worker = await openWorker(pair);
    const record = await pair.applianceStore.load({ signal });
    const header = { version: 1, ...address, direction: "to-worker", sequence: 1, type: "teleport" } as const;
    const payload = Buffer.from(JSON.stringify({ acknowledged: 0, message: { type: "teleport" } }));
    const keys = openChannelKeys(record!.identity, pair.workerKeys);
    await pair.toWorker.send(sealMessage(pair.random, keys, { header, payload }), { signal });
    const reading = expect(read(worker, new Map())).rejects.toMatchObject({ code: "message-invalid" });
    await pair.clock.advance(5_000);
    await reading;
    await worker.close();
  });

  test("refuses to send what the other side could not read", async () => {
    const pair = await newPair("outgoing");
    const appliance = await openAppliance(pair);
    await expect(appliance.send({ type: "cancel" } as ToWorker)).rejects.toMatchObject({
      code: "message-invalid",
    });
    await appliance.send(cancel("next"));
    expect(appliance.counters().unacknowledged).toBe(1);
    await appliance.close();
  });

  test("holds at most a window of unacknowledged messages, then says so after its patience", async () => {
    const pair = await newPair("full");
    const appliance = await openAppliance(pair);
    for (let n = 0; n < windowSize; n++) await appliance.send(cancel(`task-${n}`));
    const oneMore = expect(appliance.send(cancel("one more"))).rejects.toMatchObject({
      code: "channel-full",
    });
    await pair.clock.advance(defaultChannelLimits.sendPatienceMs + 1_000);
    await oneMore;
    expect(appliance.counters().unacknowledged).toBe(windowSize);
    await appliance.close();
  });

  test("hands a message over again, with its sequence, when the reader died with it in hand", async () => {
    const pair = await newPair("in hand");
    const appliance = await openAppliance(pair);
    await appliance.send(cancel("first"));
    await appliance.send(cancel("second"));
    const died = await openWorker(pair);
    const reader = died.messages()[Symbol.asyncIterator]();
    const first = reader.next();
    await pair.clock.advance(2_000);
    expect((await first).value).toMatchObject({ sequence: 1 });
    await died.close();
    const restarted = await openWorker(pair);
    const log = new Map<number, string>();
    const reading = read(restarted, log);
    await pair.clock.advance(30_000);
    expect([...log]).toEqual([
      [1, "first"],
      [2, "second"],
    ]);
    await appliance.drained({ signal });
    await Promise.all([appliance.close(), restarted.close(), reading]);
  });

  test("lets one holder go on when a second appliance takes over", async () => {
    const pair = await newPair("takeover");
    const first = await openAppliance(pair);
    await first.send(cancel("before"));
    const second = await openAppliance(pair);
    await expect(first.send(cancel("late"))).rejects.toMatchObject({ code: "channel-superseded" });
    await second.send(cancel("after"));
    const worker = await openWorker(pair);
    const log = new Map<number, string>();
    const reader = read(worker, log);
    await pair.clock.advance(30_000);
    expect(inOrder(log)).toEqual(["before", "after"]);
    await Promise.all([first.close(), second.close(), worker.close(), reader]);
  });

  test("gives up, named, when its queue is gone for good", async () => {
    const pair = await newPair("gone");
    const faults = { ...noFaults, failSend: 1, failReceive: 1 };
    const gone = new HostileQueue({ ...pair, fairFromMs: Infinity, faults, strangers: [] });
    const worker = await openWorker({ ...pair, toWorker: gone });
    const reading = expect(read(worker, new Map())).rejects.toMatchObject({ code: "channel-failed" });
    await pair.clock.advance(defaultChannelLimits.transportPatienceMs + 120_000);
    await reading;
    await expect(worker.send(needed("x"))).rejects.toMatchObject({ code: "channel-failed" });
    await worker.close();
  });

  test("goes on and says so once when it may receive messages but not remove them", async () => {
    const { clock, ...queues } = await newPair("not removed");
    const transport = memoryMessageTransport(clock);
    const acknowledge = async () => {
      throw new GarrisonError("aws-access-denied", "acknowledging (sqs:DeleteMessage is denied)");
    };
    const pair: Pair = { ...queues, clock, toWorker: { ...transport, acknowledge } };
    const troubles: string[] = [];
    const worker = await openWorker(pair, undefined, (sentence) => troubles.push(sentence));
    const appliance = await openAppliance(pair);
    const heard = new Map<number, string>();
    const reading = read(worker, heard);

    await appliance.send(cancel("1"));
    await clock.advance(120_000);
    await appliance.send(cancel("2"));
    await clock.advance(600_000);

    expect([...heard.values()]).toEqual(["1", "2"]);
    expect(troubles).toEqual([
      "aws-access-denied: acknowledging (sqs:DeleteMessage is denied): every message comes again, until the queue is full",
    ]);
    await worker.close();
    await appliance.close();
    await reading;
  });

  test("says that it is closed, and does nothing after that", async () => {
    const pair = await newPair("closed");
    const appliance = await openAppliance(pair);
    const reading = read(appliance, new Map());
    await appliance.close();
    await reading;
    await expect(appliance.send(cancel("late"))).rejects.toMatchObject({ code: "channel-closed" });
    await expect(appliance.drained({ signal })).resolves.toBeUndefined();
    await appliance.close();
  });
});

/** A process that can be killed: from then on nothing of what it does reaches a queue, the store or its handler. */
interface Life {
  isOver: boolean;
}

function mortalStore(store: ChannelStore, life: Life): ChannelStore {
  const save: ChannelStore["save"] = (record, call) =>
    life.isOver ? new Promise(() => undefined) : store.save(record, call);
  return { load: (call) => store.load(call), save };
}

function mortalTransport(transport: MessageTransport, life: Life): MessageTransport {
  const fail = () => Promise.reject(new Error("the process is dead"));
  return {
    send: (body, call) => (life.isOver ? fail() : transport.send(body, call)),
    receive: (call) => (life.isOver ? fail() : transport.receive(call)),
    acknowledge: (receipts, call) => (life.isOver ? fail() : transport.acknowledge(receipts, call)),
  };
}

function mortalPair(pair: Pair, life: Life): Pair {
  return {
    ...pair,
    toWorker: mortalTransport(pair.toWorker, life),
    toAppliance: mortalTransport(pair.toAppliance, life),
    applianceStore: mortalStore(pair.applianceStore, life),
    workerStore: mortalStore(pair.workerStore, life),
  };
}

interface History {
  readonly faults: HostileFaults;
  readonly messages: number;
  readonly restarts: number;
}

function drawHistory(random: Random): History {
  const upTo = (limit: number) => randomFraction(random) * limit;
  return {
    faults: {
      lose: upTo(0.6),
      repeat: upTo(0.4),
      replay: upTo(0.4),
      tamper: upTo(0.3),
      inject: upTo(0.3),
      failSend: upTo(0.3),
      failReceive: upTo(0.3),
      maxDelayMs: upTo(20_000),
    },
    messages: 1 + randomBelow(random, 12),
    restarts: randomBelow(random, 3),
  };
}

/** Bodies that a stranger on the queue may hold: forgeries, other channels' messages, garbage. */
async function drawStrangers(pair: Pair, random: Random): Promise<readonly string[]> {
  const stranger = newIdentity(random);
  const { identity } = (await pair.applianceStore.load({ signal }))!;
  const payload = Buffer.from(JSON.stringify({ acknowledged: 1_000, message: cancel("evil") }));
  const seal = (sender: typeof stranger, to: PublicKeys, run: string) => {
    const header = {
      version: 1,
      ...address,
      run,
      direction: "to-worker",
      sequence: 1,
      type: "cancel",
    } as const;
    return sealMessage(random, openChannelKeys(sender, to), { header, payload });
  };
  return [
    "garbage",
    seal(stranger, pair.workerKeys, address.run),
    seal(identity, publicKeysOf(stranger), address.run),
    seal(identity, pair.workerKeys, "run-other"),
  ];
}

async function simulate(seed: number): Promise<{ readonly faults: number; readonly kills: number }> {
  const random = seededRandom(`history ${seed}`);
  const history = drawHistory(random);
  const clock = new VirtualClock();
  const pair = await newPair(`keys ${seed}`, { clock });
  const strangers = await drawStrangers(pair, random);
  const fairFromMs = clock.now() + 60_000;
  const queue = () => new HostileQueue({ clock, random, fairFromMs, faults: history.faults, strangers });
  const [toWorker, toAppliance] = [queue(), queue()];
  const world = { ...pair, toWorker, toAppliance };
  const [atWorker, atAppliance] = [new Map<number, string>(), new Map<number, string>()];
  let workerLife: Life = { isOver: false };
  let [appliance, worker] = [await openAppliance(world), await openWorker(mortalPair(world, workerLife))];
  const readers = [read(worker, atWorker, workerLife), read(appliance, atAppliance)];
  const killed: Channel<ToWorker, ToAppliance>[] = [];

  const sentDown: string[] = [];
  const sentUp: string[] = [];
  for (let n = 0; n < history.messages; n++) {
    if (randomFraction(random) < 0.6) {
      sentDown.push(`down-${n}`);
      await appliance.send(cancel(`down-${n}`));
    }
    if (randomFraction(random) < 0.6) {
      sentUp.push(`up-${n}`);
      await worker.send(needed(`up-${n}`));
    }
    await clock.advance(randomBelow(random, 8_000));
    if (n >= history.restarts) continue;
    const kind = randomBelow(random, 4);
    if (kind === 0) {
      // A second appliance takes over while the first, unaware, still holds the channel.
      const first = appliance;
      appliance = await openAppliance(world);
      readers.push(read(appliance, atAppliance));
      await clock.advance(randomBelow(random, 2_000));
      await first.close();
      continue;
    }
    if (kind === 1) await worker.close();
    else killed.push(worker);
    workerLife.isOver = true;
    await clock.advance(randomBelow(random, 2_000));
    workerLife = { isOver: false };
    worker = await openWorker(mortalPair(world, workerLife));
    readers.push(read(worker, atWorker, workerLife));
  }
  for (
    let step = 0;
    step < 20 && (atWorker.size < sentDown.length || atAppliance.size < sentUp.length);
    step++
  ) {
    await clock.advance(20_000);
  }
  expect(inOrder(atWorker), `seed ${seed}`).toEqual(sentDown);
  expect(inOrder(atAppliance), `seed ${seed}`).toEqual(sentUp);
  await Promise.all([appliance.close(), worker.close()]);
  for (const reader of readers) reader.catch(() => undefined); // what the killed and superseded say is no matter
  const { counters } = toWorker;
  return { kills: killed.length, faults: Object.values(counters).reduce((sum, count) => sum + count, 0) };
}

describe("in any history in which the queue turns fair in the end", () => {
  test("every message arrives in order, once, and nothing else does", async () => {
    const histories = Number(process.env["GARRISON_HISTORIES"] ?? 120);
    let [faults, kills] = [0, 0];
    for (let seed = 0; seed < histories; seed++) {
      const history = await simulate(seed);
      faults += history.faults;
      kills += history.kills;
    }
    expect(faults).toBeGreaterThan(histories);
    expect(kills).toBeGreaterThan(histories / 4);
  });
});
