import { randomBelow, randomFraction, type Random } from "../random.ts";

/** Bytes that are often wrong at the edges of a decoder. */
const edges: readonly number[] = [0, 1, 0x7f, 0x80, 0xff];
const words: readonly number[] = [0, 1, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const values: readonly string[] = '0 -1 1e999 9007199254740993 1.5 null true [] {} "" "\\u0000"'.split(" ");
const tokens: readonly string[] = [
  ...values,
  ...'"__proto__": "constructor" [[[[[[[[[[[[[[[[ ] } , " \\ \ud800 "ff" "zz"'.split(" "),
];
const maxGrowthBytes = 4096;

type Mutation = (bytes: Buffer, random: Random, other: Uint8Array) => Buffer;

const mutations: readonly Mutation[] = [
  (bytes, random) =>
    write(bytes, random, (at) => bytes.writeUInt8(bytes[at]! ^ (1 << randomBelow(random, 8)), at)),
  (bytes, random) => write(bytes, random, (at) => bytes.writeUInt8(randomBelow(random, 256), at)),
  (bytes, random) => write(bytes, random, (at) => bytes.writeUInt8(pick(random, edges), at)),
  (bytes, random) => writeWord(bytes, random),
  (bytes, random) => bytes.subarray(0, randomBelow(random, bytes.length + 1)),
  (bytes, random) => bytes.subarray(randomBelow(random, bytes.length + 1)),
  (bytes, random) => splice(bytes, random, Buffer.from(random.bytes(1 + randomBelow(random, 64)))),
  (bytes, random) => splice(bytes, random, Buffer.from(pick(random, tokens))),
  (bytes, random) =>
    splice(bytes, random, Buffer.alloc(randomBelow(random, maxGrowthBytes), pick(random, edges))),
  (bytes, random) => replaceNumber(bytes, random),
  // A part of another valid one, or of itself, in a place where it doesn't belong.
  (bytes, random, other) => splice(bytes, random, cut(Buffer.from(other), random)),
  (bytes, random) => splice(bytes, random, cut(bytes, random)),
];

/** One to four random changes to a valid input; sometimes none of it, only noise. */
export function mutateBytes(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  if (randomFraction(random) < 0.03) return random.bytes(randomBelow(random, 300));
  let bytes = Buffer.from(pick(random, samples));
  for (let changes = 1 + randomBelow(random, 4); changes > 0; changes--) {
    bytes = pick(random, mutations)(Buffer.from(bytes), random, pick(random, samples)) as typeof bytes;
  }
  return bytes;
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[randomBelow(random, items.length)]!;
}

function write(bytes: Buffer, random: Random, put: (at: number) => unknown): Buffer {
  if (bytes.length > 0) put(randomBelow(random, bytes.length));
  return bytes;
}

function writeWord(bytes: Buffer, random: Random): Buffer {
  const sizeBytes = pick(random, [2, 4]);
  if (bytes.length < sizeBytes) return bytes;
  const word = pick(random, words);
  bytes.writeUIntBE(
    sizeBytes === 2 ? word & 0xffff : word,
    randomBelow(random, bytes.length - sizeBytes + 1),
    sizeBytes,
  );
  return bytes;
}

/** Puts a piece into or over a random place. */
function splice(bytes: Buffer, random: Random, piece: Buffer): Buffer {
  const at = randomBelow(random, bytes.length + 1);
  const removed = randomBelow(random, 2) === 0 ? 0 : randomBelow(random, bytes.length - at + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + removed)]);
}

function cut(bytes: Buffer, random: Random): Buffer {
  const start = randomBelow(random, bytes.length + 1);
  return bytes.subarray(
    start,
    start + Math.min(maxGrowthBytes, randomBelow(random, bytes.length - start + 1)),
  );
}

/** In text, another number in the place of one. */
function replaceNumber(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return bytes;
  const { index, 0: found } = pick(random, numbers);
  return Buffer.from(
    text.slice(0, index) + pick(random, values) + text.slice(index + found.length),
    "latin1",
  );
}
