import { DecodeError, malformedValue } from "./decode-error.ts";
import type { Member, TimestampFormat } from "./schema.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

/** A simple value out of text: a form field, a label, a header, an XML text node. */
export function readText(member: Member, text: string, timestampFormat: TimestampFormat): unknown {
  const { shape } = member;
  if (shape.kind === "string") return text;
  if (shape.kind === "number") return readNumber(member, text);
  if (shape.kind === "boolean") return readBoolean(member, text);
  if (shape.kind === "blob") return Buffer.from(text, "base64");
  if (shape.kind === "timestamp") {
    const date = parseTimestamp(text, shape.timestampFormat ?? timestampFormat);
    if (date === undefined) throw malformedValue(member.name, text);
    return date;
  }
  throw new DecodeError("malformed-body", member.name, `${member.name} can't be a simple value`);
}

/** A simple value as text; the reverse of readText. */
export function writeText(member: Member, value: unknown, timestampFormat: TimestampFormat): string {
  const { shape } = member;
  if (shape.kind === "timestamp")
    return String(formatTimestamp(value, shape.timestampFormat ?? timestampFormat));
  if (shape.kind === "blob" && value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return String(value);
}

function readNumber(member: Member, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw malformedValue(member.name, text);
  return value;
}

function readBoolean(member: Member, text: string): boolean {
  const lower = text.toLowerCase();
  if (lower !== "true" && lower !== "false") throw malformedValue(member.name, text);
  return lower === "true";
}
