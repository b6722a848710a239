import { once } from "node:events";
import { Duplex, duplexPair } from "node:stream";
import { describe, expect, test } from "vitest";
import { silentLogger } from "@garrison/core/logger";
import { randomBelow, seededRandom } from "@garrison/core/random";
import type { BlockExport } from "./block-export.ts";
import { nbdMagic } from "./nbd-protocol.ts";
import { serveNbd } from "./serve-nbd.ts";
import { SocketReader } from "./socket-reader.ts";

const call = { signal: new AbortController().signal };

function memoryDisk(sizeBytes: number, isWritable: boolean): BlockExport & { readonly content: Buffer } {
  const content = Buffer.alloc(sizeBytes);
  return {
    content,
    sizeBytes,
    isWritable,
    read: async (offset, length) => {
      if (offset === 666) throw new Error("a damaged block");
      return new Uint8Array(content.subarray(offset, offset + length));
    },
    write: async (offset, bytes) => void content.set(bytes, offset),
    close: async () => undefined,
  };
}

/** A client of our own, from the protocol's text. */
class Client {
  readonly #socket: Duplex;
  readonly #reader: SocketReader;
  readonly served: Promise<void>;

  constructor(disk: BlockExport) {
    const [near, far] = duplexPair();
    this.#socket = near;
    this.#reader = new SocketReader(near);
    this.served = serveNbd({ logger: silentLogger }, { socket: far, disk }, call);
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  async take(length: number): Promise<Buffer> {
    const bytes = await this.#reader.read(length);
    if (bytes === undefined) throw new Error("the connection ended");
    return bytes;
  }

  /** By NBD_OPT_GO; answers size and transmission flags. */
  async go(): Promise<{ size: number; flags: number }> {
    await this.take(18);
    this.send(Buffer.from([0, 0, 0, 3]));
    this.option(7, Buffer.alloc(6));
    let found: { size: number; flags: number } | undefined;
    for (;;) {
      const { type, data } = await this.optionReply();
      if (type === 1) return found!;
      if (type === 3 && data.readUInt16BE(0) === 0)
        found = { size: Number(data.readBigUInt64BE(2)), flags: data.readUInt16BE(10) };
    }
  }

  option(number: number, data: Buffer): void {
    const head = Buffer.alloc(16);
    head.writeBigUInt64BE(nbdMagic.option, 0);
    head.writeUInt32BE(number, 8);
    head.writeUInt32BE(data.length, 12);
    this.send(Buffer.concat([head, data]));
  }

  async optionReply(): Promise<{ type: number; data: Buffer }> {
    const head = await this.take(20);
    return { type: head.readUInt32BE(12), data: await this.take(head.readUInt32BE(16)) };
  }

  request(command: number, range: { offset: number; length: number }, data?: Uint8Array): void {
    const head = Buffer.alloc(28);
    head.writeUInt32BE(nbdMagic.request, 0);
    head.writeUInt16BE(command, 6);
    head.writeUInt32BE(range.offset, 12);
    head.writeBigUInt64BE(BigInt(range.offset), 16);
    head.writeUInt32BE(range.length, 24);
    this.send(data === undefined ? head : Buffer.concat([head, data]));
  }

  async reply(dataBytes = 0): Promise<{ error: number; handle: number; data: Buffer }> {
    const head = await this.take(16);
    const error = head.readUInt32BE(4);
    const data = error === 0 ? await this.take(dataBytes) : Buffer.alloc(0);
    return { error, handle: head.readUInt32BE(12), data };
  }
}

async function connected(disk: BlockExport): Promise<Client> {
  const client = new Client(disk);
  await client.go();
  return client;
}

describe("an NBD client", () => {
  test("learns size and rights", async () => {
    expect(await new Client(memoryDisk(1000, false)).go()).toEqual({ size: 1000, flags: 1 + 2 + 4 + 256 });
    expect(await new Client(memoryDisk(1000, true)).go()).toEqual({ size: 1000, flags: 1 + 4 + 32 + 64 });
  });

  test("reads, writes, and writes zeros", async () => {
    const disk = memoryDisk(4096, true);
    const client = await connected(disk);
    client.request(1, { offset: 100, length: 5 }, Buffer.from("hello"));
    expect((await client.reply()).error).toBe(0);
    client.request(0, { offset: 98, length: 9 });
    expect((await client.reply(9)).data.toString("latin1")).toBe("\0\0hello\0\0");
    client.request(6, { offset: 101, length: 3 });
    await client.reply();
    expect(disk.content.toString("latin1", 100, 105)).toBe("h\0\0\0o");
  });

  test.each([
    { what: "a write to a read-only disk", command: 1, range: { offset: 0, length: 4 }, error: 1 },
    { what: "a read beyond the end", command: 0, range: { offset: 999, length: 4 }, error: 22 },
    { what: "a command that nobody knows", command: 77, range: { offset: 0, length: 4 }, error: 22 },
    {
      what: "more than 32 MiB at once",
      command: 0,
      range: { offset: 0, length: 40 * 1024 * 1024 },
      error: 75,
    },
    { what: "a damaged block", command: 0, range: { offset: 666, length: 4 }, error: 5 },
  ])("is told of $what, and goes on", async ({ command, range, error }) => {
    const client = await connected(memoryDisk(range.length > 1000 ? 64 * 1024 * 1024 : 1000, false));
    client.request(command, range, command === 1 ? Buffer.alloc(4) : undefined);
    expect((await client.reply()).error).toBe(error);
    client.request(0, { offset: 1, length: 2 });
    expect((await client.reply(2)).error).toBe(0);
  });

  test("may list the export, ask for what is not supported, and begin the old way", async () => {
    const client = new Client(memoryDisk(1000, false));
    await client.take(18);
    client.send(Buffer.from([0, 0, 0, 1]));
    client.option(3, Buffer.alloc(0));
    expect([(await client.optionReply()).type, (await client.optionReply()).type]).toEqual([2, 1]);
    client.option(8, Buffer.alloc(0));
    expect((await client.optionReply()).type).toBe(0x80000001);
    client.option(7, Buffer.alloc(100_000));
    expect((await client.optionReply()).type).toBe(0x80000009);
    client.option(1, Buffer.from("any name"));
    expect(Number((await client.take(134)).readBigUInt64BE(0))).toBe(1000);
  });

  test("that ends in the middle of anything ends the connection, and nothing else", async () => {
    const random = seededRandom("nbd");
    for (let round = 0; round < 200; round++) {
      const client = new Client(memoryDisk(1000, true));
      if (round % 2 === 0) await client.go();
      client.send(random.bytes(randomBelow(random, 60)));
      client.end();
      await client.served;
    }
  });

  test("gets many replies for many requests", async () => {
    const disk = memoryDisk(100_000, false);
    disk.content.fill(7);
    const client = await connected(disk);
    for (let index = 0; index < 200; index++) client.request(0, { offset: index, length: 50_000 });
    const handles = new Set<number>();
    for (let index = 0; index < 200; index++) handles.add((await client.reply(50_000)).handle);
    expect(handles.size).toBe(200);
    client.request(2, { offset: 0, length: 0 });
    await client.served;
  });
});

test("a stopped server hangs up", async () => {
  const stop = new AbortController();
  const [near, far] = duplexPair();
  const served = serveNbd(
    { logger: silentLogger },
    { socket: far, disk: memoryDisk(10, false) },
    { signal: stop.signal },
  );
  await once(near, "readable");
  stop.abort();
  await served;
});
