import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { randomBelow, seededRandom, type Random } from "../packages/core/src/random.ts";
import { MiB } from "../packages/core/src/units.ts";

const rowsAtOnce = 4096;
const bytesPerRow = 48;

/** A dump of one table of orders, made of a seed: names from a vocabulary, numbers, dates, and a token in each row. */
export function writeDump(path: string, seed: string, sizeBytes: number): void {
  const random = seededRandom(seed);
  const words = vocabulary(random);
  const file = openSync(path, "w");
  let written = writeSync(file, "CREATE TABLE orders (id bigint, customer text, note text, token text);\n");
  for (let id = 1; written < sizeBytes; id += rowsAtOnce) {
    written += writeSync(file, makeRows({ random, words, firstId: id, count: rowsAtOnce }));
  }
  closeSync(file);
}

/** The dump a day later: new rows at places spread over it. Answers how many bytes they are. */
export function insertRows(from: string, to: string, options: { seed: string; places: number }): number {
  const random = seededRandom(options.seed);
  const words = vocabulary(seededRandom(`${options.seed} words`));
  const [source, target] = [openSync(from, "r"), openSync(to, "w")];
  const part = Buffer.alloc(MiB);
  let inserted = 0;
  for (let megabyte = 0; ; megabyte++) {
    const length = readSync(source, part, 0, part.length, null);
    if (length === 0) break;
    const cut = part.subarray(0, length).lastIndexOf("\n") + 1;
    writeSync(target, part, 0, cut);
    if (randomBelow(random, 500) < options.places) {
      const rows = makeRows({ random, words, firstId: 10 ** 9 + megabyte * 100, count: 20 });
      inserted += writeSync(target, rows);
    }
    writeSync(target, part, cut, length - cut);
  }
  closeSync(source);
  closeSync(target);
  return inserted;
}

function vocabulary(random: Random): readonly string[] {
  return Array.from({ length: 2048 }, () => {
    const letters = random.bytes(3 + randomBelow(random, 8));
    return String.fromCharCode(...letters.map((byte) => 97 + (byte % 26)));
  });
}

interface Rows {
  readonly random: Random;
  readonly words: readonly string[];
  readonly firstId: number;
  readonly count: number;
}

/** One seed stretched for all rows: drawing each byte would take longer than all programs together. */
function makeRows({ random, words, firstId, count }: Rows): Buffer {
  const outputLength = count * bytesPerRow;
  const bytes = createHash("shake256", { outputLength }).update(random.bytes(16)).digest();
  const rows: string[] = [];
  for (let row = 0; row < count; row++) {
    const at = row * bytesPerRow;
    const word = (place: number) => words[bytes.readUInt16LE(at + place) % words.length]!;
    const note = Array.from({ length: 10 }, (_, place) => word(4 + place * 2)).join(" ");
    const token = bytes.toString("hex", at + 24, at + 40);
    rows.push(
      `INSERT INTO orders VALUES (${firstId + row}, '${word(0)} ${word(2)}', '${note}', '${token}');\n`,
    );
  }
  return Buffer.from(rows.join(""));
}
