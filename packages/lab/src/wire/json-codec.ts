import { DecodeError, malformedValue, unknownParameter } from "./decode-error.ts";
import type { Member, Shape } from "./schema.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

/** Which members of a structure the JSON body holds: all, or those that aren't bound to the URI and headers. */
export type MemberFilter = (member: Member) => boolean;

const everyMember: MemberFilter = () => true;

/** Parses the text of a JSON body. An empty body is an empty object. */
export function parseJsonBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8"),
    );
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // said below, in the words of the protocol
  }
  throw new DecodeError("malformed-body", "", "the request body is not a JSON object");
}

/** A parsed JSON body as the SDK's input object: dates are dates, blobs bytes; unknown members are refused. */
export function readJsonStructure(
  shape: Shape,
  body: Readonly<Record<string, unknown>>,
  filter = everyMember,
): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  let seen = 0;
  for (const member of shape.members) {
    if (!filter(member)) continue;
    const name = jsonName(member);
    const value = body[name];
    if (value === undefined) continue;
    seen += 1;
    if (value !== null) output[member.name] = readJsonValue(member, value);
  }
  const present = Object.keys(body);
  if (present.length > seen) {
    const known = new Set(shape.members.filter(filter).map(jsonName));
    const stranger = present.find((name) => !known.has(name) && name !== "__type");
    if (stranger !== undefined) throw unknownParameter(stranger);
  }
  return output;
}

function readJsonValue(member: Member, value: unknown): unknown {
  const { shape } = member;
  switch (shape.kind) {
    case "structure":
      return readJsonStructure(shape, objectOf(member, value));
    case "list":
      if (!Array.isArray(value)) throw malformedValue(member.name, value);
      return value.map((item) => (item === null ? null : readJsonValue(shape.value!, item)));
    case "map":
      return Object.fromEntries(
        Object.entries(objectOf(member, value)).map(([key, item]) => [
          key,
          readJsonValue(shape.value!, item),
        ]),
      );
    case "timestamp":
      return parseTimestamp(value, shape.timestampFormat ?? "epoch-seconds") ?? refuse(member, value);
    case "blob":
      return typeof value === "string" ? Buffer.from(value, "base64") : refuse(member, value);
    case "document":
      return value;
    default:
      return typeof value === shape.kind ? value : refuse(member, value);
  }
}

/** The output as a tree that JSON.stringify writes on the wire. */
export function writeJsonStructure(
  shape: Shape,
  value: unknown,
  filter = everyMember,
): Record<string, unknown> {
  const source = value as Readonly<Record<string, unknown>>;
  const output: Record<string, unknown> = {};
  for (const member of shape.members) {
    const item = source[member.name];
    if (item !== undefined && item !== null && filter(member))
      output[jsonName(member)] = writeJsonValue(member, item);
  }
  return output;
}

function writeJsonValue(member: Member, value: unknown): unknown {
  const { shape } = member;
  switch (shape.kind) {
    case "structure":
      return writeJsonStructure(shape, value);
    case "list":
      return Array.from(value as Iterable<unknown>, (item) => writeJsonValue(shape.value!, item));
    case "map":
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, writeJsonValue(shape.value!, item)]),
      );
    case "timestamp":
      return formatTimestamp(value, shape.timestampFormat ?? "epoch-seconds");
    case "blob":
      return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
    default:
      return value;
  }
}

function jsonName(member: Member): string {
  return (member.traits["jsonName"] as string | undefined) ?? member.name;
}

function objectOf(member: Member, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformedValue(member.name, value);
  return value as Record<string, unknown>;
}

function refuse(member: Member, value: unknown): never {
  throw malformedValue(member.name, JSON.stringify(value));
}
