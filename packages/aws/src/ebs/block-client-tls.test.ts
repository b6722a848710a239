import { createSign, generateKeyPairSync, hash, type KeyObject } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { systemClock } from "@garrison/core/clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBlockClient } from "./open-block-client.ts";

/** A length-prefixed DER element. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const short = body.length < 128;
  const length = short ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...content: readonly Buffer[]) => der(0x30, ...content);
const ecdsaWithSha256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
const commonName = Buffer.from("550403", "hex");
const alternativeName = Buffer.from("551d11", "hex");

/** A certificate for `localhost`, signed by itself, good from 2020 to 2049. */
function selfSigned(key: KeyObject, publicKey: KeyObject): string {
  const name = sequence(der(0x31, sequence(der(0x06, commonName), der(0x0c, Buffer.from("garrison test")))));
  const validity = sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const names = sequence(der(0x82, Buffer.from("localhost")));
  const extensions = der(0xa3, sequence(sequence(der(0x06, alternativeName), der(0x04, names))));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const toSign = sequence(version, serial, ecdsaWithSha256, name, validity, name, spki, extensions);
  const signature = createSign("sha256").update(toSign).sign(key);
  const certificate = sequence(toSign, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").replaceAll(/(.{64})/g, "$1\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const certificate = selfSigned(privateKey, publicKey);
const { signal } = new AbortController();
const block = Buffer.alloc(512 * 1024, "block ");
const sha256 = hash("sha256", block, "buffer");
const where = { snapshotId: "snap-0a", index: 3 };

let server: Server;
let port: number;
const sockets: TLSSocket[] = [];
const written: Buffer[] = [];

/** Answers every request with the block; keeps what was written. */
function answer(socket: TLSSocket): void {
  let received = Buffer.alloc(0);
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.on("data", (part) => {
    received = Buffer.concat([received, part]);
    const end = received.indexOf("\r\n\r\n");
    const head = received.toString("latin1", 0, Math.max(0, end));
    const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
    if (end < 0 || received.length < end + 4 + length) return;
    if (length > 0) written.push(received.subarray(end + 4));
    received = Buffer.alloc(0);
    const status = length > 0 ? "201 Created" : "200 OK";
    const body = length > 0 ? Buffer.alloc(0) : block;
    socket.write(
      `HTTP/1.1 ${status}\r\nx-amz-checksum: ${sha256.toString("base64")}\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
  });
}

beforeAll(async () => {
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  server = createServer({ key, cert: certificate }, answer);
  await once(server.listen(0, "localhost"), "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

function open(certificates: string | undefined, host = "localhost") {
  return openBlockClient({
    clock: systemClock,
    endpoint: async () => ({
      url: new URL(`https://${host}:${port}`),
      region: "eu-central-1",
      service: "ebs",
    }),
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    ...(certificates === undefined ? {} : { certificates }),
  });
}

test("blocks are read and written over TLS, on one connection", async () => {
  const client = open(certificate);
  const into = new Uint8Array(block.length);
  for (let call = 0; call < 3; call++) {
    into.fill(0);
    expect(block.equals((await client.get({ ...where, token: "A", into }, { signal })).bytes)).toBe(true);
  }
  await client.put({ ...where, bytes: block, sha256 }, { signal });
  expect(written.map((bytes) => block.equals(bytes))).toEqual([true]);
  expect(sockets.length).toBe(1);
  client.close();
});

test("a server whose certificate nobody vouches for gets no request", async () => {
  const client = open(undefined);
  const call = client.get({ ...where, token: "A" }, { signal });
  await expect(call).rejects.toMatchObject({
    code: "aws-unavailable",
    cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
  });
  client.close();
});

test("a server whose certificate is for another name gets no request", async () => {
  const client = open(certificate, "127.0.0.1");
  const call = client.get({ ...where, token: "A" }, { signal });
  await expect(call).rejects.toMatchObject({ code: "aws-unavailable" });
  client.close();
});

test("a call that is stopped in the middle of a block leaves its memory alone from then on", async () => {
  const client = open(certificate);
  for (let turn = 0; turn < 20; turn++) {
    const stopping = new AbortController();
    const into = new Uint8Array(block.length);
    const stopped = client.get({ ...where, token: "A", into }, { signal: stopping.signal });
    while (turn > 0 && into[turn * 1000] === 0) await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    const end = await stopped.then(
      () => "read",
      (error: { code: string }) => error.code,
    );
    expect(["read", "aborted"]).toContain(end);
    into.fill(0);
    await client.get({ ...where, token: "A" }, { signal });
    expect(into.every((byte) => byte === 0)).toBe(true);
  }
  client.close();
});
