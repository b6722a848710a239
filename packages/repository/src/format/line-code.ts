import { createHash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";

/**
 * Bytes as lines that people copy by hand: base32 without I, L, O and U, in groups of four, each line with its number in
 * front and two check characters behind. The check finds every single wrong character and every two that changed places;
 * four bytes of SHA-256 at the end bind the lines together.
 */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const lineCharacters = 20;
const digestBytes = 4;
/** A prime below 32 x 32: what changes in a line changes the remainder. */
const checkModulus = 1021;

export function formatLines(part: number, bytes: Uint8Array): readonly string[] {
  const text = toBase32(Buffer.concat([bytes, digestOf(bytes)]));
  const lines: string[] = [];
  for (let start = 0; start < text.length; start += lineCharacters) {
    const data = text.slice(start, start + lineCharacters);
    const number = lines.length + 1;
    const groups = data.match(/.{1,4}/g)!.join(" ");
    lines.push(`${part}-${String(number).padStart(2, "0")}  ${groups}  ${checkOf({ part, number }, data)}`);
  }
  return lines;
}

/** The bytes of a part, or nothing when no line of it is there. Throws `escrow-unreadable` with the line's number. */
export function parseLines(part: number, text: string): Uint8Array | undefined {
  const lines = text.split(/\r?\n/).flatMap((line) => readLine(part, line) ?? []);
  if (lines.length === 0) return undefined;
  for (const [index, { number, data }] of lines.entries()) {
    if (number !== index + 1) throw unreadable(`line ${part}-${index + 1} is missing or out of place`);
    if (index < lines.length - 1 && data.length !== lineCharacters) {
      throw unreadable(`line ${part}-${number} has ${data.length} characters, not ${lineCharacters}`);
    }
  }
  const bytes = fromBase32(lines.map(({ data }) => data).join(""));
  const split = bytes.length - digestBytes;
  const isWhole = split > 0 && digestOf(bytes.subarray(0, split)).equals(bytes.subarray(split));
  if (!isWhole) throw unreadable(`part ${part} is not whole: its last lines are missing or of another sheet`);
  return bytes.subarray(0, split);
}

interface CodeLine {
  readonly number: number;
  readonly data: string;
}

function readLine(part: number, line: string): CodeLine | undefined {
  const match = /^\s*(\d+)-(\d+)\s+(.*\S)\s*$/.exec(line);
  if (match === null || Number(match[1]) !== part) return undefined;
  const number = Number(match[2]);
  const characters = match[3]!.toUpperCase().replaceAll(/\s/g, "").replaceAll("O", "0");
  const code = characters.replaceAll(/[IL]/g, "1");
  const data = code.slice(0, -2);
  const isOurs = [...code].every((character) => alphabet.includes(character));
  if (!isOurs || data === "" || checkOf({ part, number }, data) !== code.slice(-2)) {
    throw unreadable(`line ${part}-${String(number).padStart(2, "0")} has a mistake`);
  }
  return { number, data };
}

function checkOf(at: { readonly part: number; readonly number: number }, data: string): string {
  let sum = at.part * 509 + at.number * 31;
  for (const [index, character] of [...data].entries()) sum += alphabet.indexOf(character) * (index + 2);
  const check = sum % checkModulus;
  return alphabet[check >> 5]! + alphabet[check & 31]!;
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest().subarray(0, digestBytes);
}

function toBase32(bytes: Uint8Array): string {
  let text = "";
  let [held, bits] = [0, 0];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31]!;
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31]!;
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let [held, bits] = [0, 0];
  for (const character of text) {
    held = (held << 5) | alphabet.indexOf(character);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}

function unreadable(reason: string): GarrisonError {
  return new GarrisonError("escrow-unreadable", reason);
}
