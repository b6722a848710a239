import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { ByteReader } from "../format/byte-reader.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { formatVersion } from "../format/format-limits.ts";
import { formatLines, parseLines } from "../format/line-code.ts";
import type { WrapPlace } from "../format/key-wrap.ts";

/**
 * A random secret on paper. Part 1 is the secret: together with the repository it opens everything. Part 2 is a copy of
 * the sealed keys that it opens: worthless alone, it brings a repository back whose own key objects are lost.
 */
export interface EscrowSheet extends WrapPlace {
  readonly secret: Uint8Array;
  readonly sealed?: { readonly salt: Uint8Array; readonly keys: Uint8Array };
}

const secretBytes = 32;
const saltBytes = 16;

export function formatEscrowSheet(sheet: Required<EscrowSheet>, about: readonly string[]): string {
  return [
    "GARRISON ESCROW SHEET",
    ...about,
    `repository  ${sheet.repositoryId}`,
    `key         ${sheet.wrapId}`,
    "",
    "Part 1: the secret. Whoever has it and can read the repository can read everything in it.",
    ...formatLines(1, encodePart(sheet, sheet.secret)),
    "",
    `Part 2: the sealed keys. Needed only if the object key/${sheet.wrapId} is lost; useless without part 1.`,
    ...formatLines(2, encodePart(sheet, Buffer.concat([sheet.sealed.salt, sheet.sealed.keys]))),
    "",
  ].join("\n");
}

/** Reads a sheet as it was printed or typed in again; part 2 may be missing. Throws `escrow-unreadable`. */
export function parseEscrowSheet(text: string): EscrowSheet {
  const first = parseLines(1, text);
  if (first === undefined) throw new GarrisonError("escrow-unreadable", "there is no line of part 1");
  const { content: secret, ...place } = decodePart(first, "part 1");
  if (secret.length !== secretBytes)
    throw new GarrisonError("escrow-unreadable", "part 1 has another length");
  const second = parseLines(2, text);
  if (second === undefined) return { ...place, secret };
  const { content, ...other } = decodePart(second, "part 2");
  if (other.repositoryId !== place.repositoryId || other.wrapId !== place.wrapId) {
    throw new GarrisonError("escrow-unreadable", "part 1 and part 2 are of different sheets");
  }
  return {
    ...place,
    secret,
    sealed: { salt: content.subarray(0, saltBytes), keys: content.subarray(saltBytes) },
  };
}

function encodePart(place: WrapPlace, content: Uint8Array): Uint8Array {
  return new ByteWriter(32 + content.length)
    .u8(formatVersion)
    .hex(place.repositoryId)
    .hex(place.wrapId)
    .bytes(content)
    .finish();
}

function decodePart(bytes: Uint8Array, what: string): WrapPlace & { readonly content: Uint8Array } {
  const reader = new ByteReader(bytes, what);
  try {
    reader.expect(reader.u8(), formatVersion, "the version");
    const place = { repositoryId: reader.hex(16), wrapId: reader.hex(8) };
    return { ...place, content: new Uint8Array(reader.bytes(reader.remaining)) };
  } catch (cause) {
    if (!isGarrisonError(cause, "object-malformed")) throw cause;
    throw new GarrisonError("escrow-unreadable", cause.message, { cause });
  }
}
