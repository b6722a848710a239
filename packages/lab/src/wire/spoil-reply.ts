import { Readable } from "node:stream";
import type { Lab } from "../lab.ts";
import type { FaultRule } from "./faults.ts";
import { Dropped } from "./meet-fault.ts";
import type { Reply } from "./reply.ts";

const slowPieces = 8;

/** An answer as a fault lets it arrive: not at all, half of it before the connection breaks, or in slow pieces. */
export function spoilReply(lab: Lab, rule: FaultRule, reply: Reply): Reply {
  if (rule.fault === "lost") throw new Dropped();
  const { body } = reply;
  const whole = body instanceof Readable ? body : Readable.from([Buffer.from(body)]);
  const lengthBytes = body instanceof Readable ? lengthOf(reply) : Buffer.byteLength(body);
  const headers = { ...reply.headers, "content-length": String(lengthBytes) };
  const spoiled = rule.fault === "cut" ? cutShort(whole, lengthBytes) : slowDown(lab, rule, whole);
  return { ...reply, headers, body: Readable.from(spoiled) };
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
