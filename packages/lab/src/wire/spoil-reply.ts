import { Readable } from "node:stream";
import type { Lab } from "../lab.ts";
import type { FaultRule } from "./faults.ts";
import { Dropped } from "./meet-fault.ts";
import type { Reply } from "./reply.ts";

const slowPieces = 8;

/** An answer as a fault lets it arrive: not at all, half of it before the connection breaks, in slow pieces, or with a byte changed. */
export function spoilReply(lab: Lab, rule: FaultRule, reply: Reply): Reply {
  if (rule.fault === "lost") throw new Dropped();
  const { body } = reply;
  const whole = body instanceof Readable ? body : Readable.from([Buffer.from(body)]);
  const lengthBytes = body instanceof Readable ? lengthOf(reply) : Buffer.byteLength(body);
  const headers = { ...reply.headers, "content-length": String(lengthBytes) };
  return { ...reply, headers, body: Readable.from(spoilBody(lab, rule, { whole, lengthBytes })) };
}

interface SentBody {
  readonly whole: Readable;
  readonly lengthBytes: number;
}

function spoilBody(lab: Lab, rule: FaultRule, { whole, lengthBytes }: SentBody): AsyncGenerator<Buffer> {
  if (rule.fault === "cut") return cutShort(whole, lengthBytes);
  return rule.fault === "corrupt" ? changeByte(whole) : slowDown(lab, rule, whole);
}

function lengthOf(reply: Reply): number {
  return Number(reply.headers["content-length"] ?? 0);
}

async function* cutShort(body: Readable, lengthBytes: number): AsyncGenerator<Buffer> {
  let left = Math.floor(lengthBytes / 2);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) break;
  }
  throw new Dropped();
}

/** A copy of it: what is kept stays as it is. */
async function* changeByte(body: Readable): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const sent = isFirst ? Buffer.from(chunk) : chunk;
    if (isFirst && sent.length > 0) sent[sent.length >> 1]! ^= 1;
    isFirst = false;
    yield sent;
  }
}

async function* slowDown(lab: Lab, rule: FaultRule, body: Readable): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  for (let piece = 0; piece < slowPieces; piece++) {
    await lab.clock.sleep((rule.latencyMs ?? 1000) / slowPieces, lab.stopping);
    const end = Math.floor((bytes.length * (piece + 1)) / slowPieces);
    yield bytes.subarray(Math.floor((bytes.length * piece) / slowPieces), end);
  }
}
