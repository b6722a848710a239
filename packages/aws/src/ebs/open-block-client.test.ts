import { hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { systemClock } from "@garrison/core/clock";
import { afterEach, describe, expect, test } from "vitest";
import type { BlockClient } from "./block-client.ts";
import type { BlockLineOptions } from "./block-line.ts";
import { openBlockClient } from "./open-block-client.ts";

const blockBytes = 512 * 1024;
const block = Buffer.alloc(blockBytes, "block ");
const sha256 = hash("sha256", block, "buffer");
const checksum = sha256.toString("base64");
const where = { snapshotId: "snap-0a", index: 3 };
const { signal } = new AbortController();

/** A request as it came in, and the line to answer on. */
interface Arrival {
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Script {
  /** What becomes of the request with that number, from 0. */
  readonly answer: (arrival: Arrival, number: number) => void;
  /** Whether to answer at the end of the head, body or not. */
  readonly early?: boolean;
}

interface Scripted {
  readonly client: BlockClient;
  readonly arrivals: Arrival[];
  readonly connections: () => number;
}

/** A server that says what it is told to, byte by byte, and a client of it. */
async function serve(
  script: Script,
  options: Partial<BlockLineOptions> & { path?: string } = {},
): Promise<Scripted> {
  const arrivals: Arrival[] = [];
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (part) => {
      received = Buffer.concat([received, part]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = received.toString("latin1", 0, end);
      const length = script.early === true ? 0 : Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      const arrival = { head, body: received.subarray(end + 4, end + 4 + length), socket };
      received = script.early === true ? Buffer.alloc(0) : received.subarray(end + 4 + length);
      arrivals.push(arrival);
      script.answer(arrival, arrivals.length - 1);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { path = "", ...rest } = options;
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  const client = openBlockClient({
    clock: systemClock,
    endpoint: async () => ({ url, region: "eu-central-1", service: "ebs" }),
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    ...rest,
  });
  closers.push(() => {
    client.close();
    server.close();
  });
  return { client, arrivals, connections: () => connections };
}

const read = ({ client }: Scripted, into?: Uint8Array) =>
  client.get({ ...where, token: "AAAB", into }, { signal });
const write = ({ client }: Scripted) => client.put({ ...where, bytes: block, sha256 }, { signal });
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no failure",
    (error: unknown) => error,
  );

type Answer = (arrival: Arrival) => void;

function answerWith(headers: readonly string[], body: string | Buffer = "", status = "200 OK"): Answer {
  return ({ socket }: Arrival) => {
    socket.write(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`);
    socket.write(body);
  };
}

const checked = [
  `x-amz-checksum: ${checksum}`,
  "x-amz-checksum-algorithm: SHA256",
  `x-amz-data-length: ${blockBytes}`,
];
const sendBlock = answerWith([...checked, `content-length: ${blockBytes}`], block);

describe("a request", () => {
  test("is one for the block, signed, and nothing else", async () => {
    const server = await serve({ answer: sendBlock });
    await read(server);
    const [first, ...lines] = server.arrivals[0]!.head.split("\r\n");
    expect(first).toBe("GET /snapshots/snap-0a/blocks/3?blockToken=AAAB HTTP/1.1");
    expect(lines.map((line) => line.split(":")[0]).sort()).toEqual([
      "authorization",
      "host",
      "user-agent",
      "x-amz-content-sha256",
      "x-amz-date",
    ]);
  });

  test("to write carries the block and its hash three times, each in its own spelling", async () => {
    const server = await serve({
      answer: answerWith([`x-amz-checksum: ${checksum}`, "content-length: 0"], "", "201 Created"),
    });
    await write(server);
    const [{ head, body }] = server.arrivals as [Arrival];
    expect(head).toMatch(/^PUT \/snapshots\/snap-0a\/blocks\/3 HTTP\/1\.1\r\n/);
    expect(head).toContain(`\r\nx-amz-checksum: ${checksum}\r\n`);
    expect(head).toContain(`\r\nx-amz-content-sha256: ${sha256.toString("hex")}\r\n`);
    expect(head).toContain(`\r\nx-amz-data-length: ${blockBytes}\r\n`);
    expect(body.equals(block)).toBe(true);
  });

  test("goes below the endpoint's own path", async () => {
    const server = await serve({ answer: sendBlock }, { path: "/through/here/" });
    await read(server);
    expect(server.arrivals[0]!.head).toMatch(/^GET \/through\/here\/snapshots\/snap-0a\/blocks\/3\?/);
  });

  test.each([
    { snapshotId: "snap-0a/../../x", index: 0, token: "A" },
    { snapshotId: "snap-0a HTTP/1.1\r\n", index: 0, token: "A" },
    { snapshotId: "snap-0a", index: -1, token: "A" },
    { snapshotId: "snap-0a", index: 0.5, token: "A" },
    { snapshotId: "snap-0a", index: 0, token: undefined },
    { snapshotId: "snap-0a", index: 0, token: "\ud800" },
  ])("for $snapshotId, $index, $token is never sent", async (wrong) => {
    const server = await serve({ answer: sendBlock });
    expect(await failureOf(server.client.get(wrong, { signal }))).toMatchObject({
      code: "aws-invalid-request",
    });
    expect(server.arrivals).toEqual([]);
  });
});

test("credentials with a line end in them are not sent", async () => {
  const sessionToken = "token\r\nx-amz-acl: public";
  const credentials = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken });
  const server = await serve({ answer: sendBlock }, { credentials });
  expect(await failureOf(read(server))).toMatchObject({ code: "aws-credentials-missing" });
  expect(server.arrivals).toEqual([]);
});

describe("an answer", () => {
  test("in chunks is a block like any other", async () => {
    const half = blockBytes / 2;
    const chunk = (from: number) =>
      Buffer.concat([
        Buffer.from(`${half.toString(16)}\r\n`),
        block.subarray(from, from + half),
        Buffer.from("\r\n"),
      ]);
    const body = Buffer.concat([chunk(0), chunk(half), Buffer.from("0\r\n\r\n")]);
    const server = await serve({ answer: answerWith([...checked, "transfer-encoding: chunked"], body) });
    for (let call = 0; call < 2; call++) expect(block.equals((await read(server)).bytes)).toBe(true);
    expect(server.connections()).toBe(1);
  });

  test("without a length ends with its connection, and the next has one of its own", async () => {
    const server = await serve({
      answer: (arrival) => {
        answerWith(checked, block)(arrival);
        arrival.socket.end();
      },
    });
    for (let call = 0; call < 2; call++) expect(block.equals((await read(server)).bytes)).toBe(true);
    expect(server.connections()).toBe(2);
  });

  test("is put where the caller wants it", async () => {
    const server = await serve({ answer: sendBlock });
    const into = new Uint8Array(blockBytes);
    const { bytes } = await read(server, into);
    expect(bytes.buffer).toBe(into.buffer);
    expect(block.equals(into)).toBe(true);
  });

  test.each([
    [
      "a byte too short",
      answerWith([...checked, `content-length: ${blockBytes - 1}`], block.subarray(1)),
      "ebs-block-damaged",
    ],
    [
      "a byte too long",
      answerWith([...checked, `content-length: ${blockBytes + 1}`], Buffer.concat([block, Buffer.alloc(1)])),
      "aws-unavailable",
    ],
    ["without a checksum", answerWith([`content-length: ${blockBytes}`], block), "ebs-block-damaged"],
    [
      "with another checksum",
      answerWith(["x-amz-checksum: AAAA", `content-length: ${blockBytes}`], block),
      "ebs-block-damaged",
    ],
    [
      "with another algorithm",
      answerWith([checked[0]!, "x-amz-checksum-algorithm: CRC32", `content-length: ${blockBytes}`], block),
      "ebs-block-damaged",
    ],
    [
      "that isn't HTTP",
      ({ socket }: Arrival): void => void socket.write("220 smtp ready\r\n\r\n"),
      "aws-unavailable",
    ],
    [
      "that ends in its head",
      ({ socket }: Arrival): void => void socket.end("HTTP/1.1 200 OK\r\nx-"),
      "aws-unavailable",
    ],
    [
      "that is a redirect",
      answerWith(["location: /x", "content-length: 0"], "", "307 Temporary Redirect"),
      "aws-invalid-request",
    ],
  ] as const)("%s is no block", async (_, answer, code) => {
    const server = await serve({ answer: (arrival, number) => (number === 0 ? answer : sendBlock)(arrival) });
    expect(await failureOf(read(server))).toMatchObject({ code });
    expect(block.equals((await read(server)).bytes)).toBe(true);
  });

  test("that says other bytes were taken is a failed write", async () => {
    const server = await serve({
      answer: answerWith(["x-amz-checksum: AAAA", "content-length: 0"], "", "201 Created"),
    });
    expect(await failureOf(write(server))).toMatchObject({ code: "ebs-block-damaged", retryable: true });
  });

  test("followed by more than it announced is the last on its connection", async () => {
    const server = await serve({
      answer: (arrival) => {
        const head = `HTTP/1.1 200 OK\r\n${checked.join("\r\n")}\r\ncontent-length: ${blockBytes}\r\n\r\n`;
        arrival.socket.write(Buffer.concat([Buffer.from(head), block, Buffer.from("HTTP/1.1 200 OK\r\n")]));
      },
    });
    for (let call = 0; call < 2; call++) expect(block.equals((await read(server)).bytes)).toBe(true);
    expect(server.connections()).toBe(2);
  });
});

const refusals = [
  {
    where: "in a header",
    type: "ThrottlingException:http://internal.amazon.com/",
    body: "{}",
    code: "aws-throttled",
  },
  {
    where: "in the body",
    body: '{"__type":"com.amazonaws.ebs#ThrottlingException","a":1}',
    code: "aws-throttled",
  },
  { where: "in another language", body: "<html>no way</html>", code: "aws-unavailable" },
  { where: "in no language", body: Buffer.from([0xff, 0xfe, 0]), code: "aws-unavailable" },
];

describe("a refusal", () => {
  test.each(refusals)("$where has its name", async ({ type, body, code }) => {
    const headers = [`content-length: ${Buffer.byteLength(body)}`];
    if (type !== undefined) headers.push(`x-amzn-errortype: ${type}`);
    const server = await serve({ answer: answerWith(headers, body, "503 No") });
    for (let call = 0; call < 2; call++) expect(await failureOf(read(server))).toMatchObject({ code });
    expect(server.connections()).toBe(1);
  });

  test("that comes before the block was taken is what the call ends with", async () => {
    const server = await serve({
      early: true,
      answer: answerWith(["x-amzn-errortype: AccessDeniedException", "content-length: 2"], "{}", "403 No"),
    });
    for (let call = 0; call < 3; call++)
      expect(await failureOf(write(server))).toMatchObject({ code: "aws-access-denied" });
  });
});

describe("connections", () => {
  test("are used again", async () => {
    const server = await serve({ answer: sendBlock });
    for (let call = 0; call < 5; call++) await read(server);
    expect(server.connections()).toBe(1);
  });

  test("are never more than allowed, and everybody gets a turn", async () => {
    const server = await serve({ answer: sendBlock }, { mostConnections: 3 });
    const all = await Promise.all(Array.from({ length: 20 }, () => read(server)));
    expect(all.length).toBe(20);
    expect(server.connections()).toBe(3);
  });

  test("that ended while idle are not used", async () => {
    const server = await serve({
      answer: (arrival) => {
        sendBlock(arrival);
        setImmediate(() => arrival.socket.end());
      },
    });
    await read(server);
    await once(server.arrivals[0]!.socket, "close");
    expect(block.equals((await read(server)).bytes)).toBe(true);
    expect(server.connections()).toBe(2);
  });

  test("on which an answer drips are given up", async () => {
    const drip = ({ socket }: Arrival) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const timer = setInterval(() => socket.write("a: b\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    };
    const server = await serve({ answer: drip }, { limits: { exchangeMs: 300 } });
    expect(await failureOf(read(server))).toMatchObject({
      code: "aws-unavailable",
      details: { awsCode: "ETIMEDOUT" },
    });
  });

  test("that nobody takes fail as unavailable", async () => {
    const server = await serve(
      { answer: sendBlock },
      { endpoint: async () => ({ url: new URL("http://127.0.0.1:1"), region: "x", service: "ebs" }) },
    );
    expect(await failureOf(read(server))).toMatchObject({
      code: "aws-unavailable",
      details: { awsCode: "ECONNREFUSED" },
    });
  });

  test("that are closed end what is under way, and nothing begins on them", async () => {
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const server = await serve({ answer: () => arrived() }, { mostConnections: 1 });
    const calls = [failureOf(read(server)), failureOf(read(server))];
    await arrival;
    server.client.close();
    for (const call of calls) expect(await call).toMatchObject({ code: "aborted" });
    expect(await failureOf(read(server))).toMatchObject({ code: "aborted" });
  });

  test("are asked for an endpoint again when it couldn't be had", async () => {
    const server = await serve({ answer: sendBlock });
    const known = await new Promise<URL>((resolve) => {
      void read(server).then(() =>
        resolve(new URL(`http://${/host: (\S+)/.exec(server.arrivals[0]!.head)![1]}`)),
      );
    });
    let asked = 0;
    const client = openBlockClient({
      clock: systemClock,
      credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
      endpoint: async () => {
        if (asked++ === 0) throw Object.assign(new Error("no Region"), { name: "ConfigError" });
        return { url: known, region: "eu-central-1", service: "ebs" };
      },
    });
    closers.push(() => client.close());
    expect(await failureOf(client.get({ ...where, token: "A" }, { signal }))).toMatchObject({
      cause: { message: "no Region" },
    });
    expect(block.equals((await client.get({ ...where, token: "A" }, { signal })).bytes)).toBe(true);
  });
});
