import { GarrisonError } from "@garrison/core/garrison-error";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads typed fields of JSON that came from a repository; anything unexpected is `object-malformed`. */
export interface JsonFields {
  text(field: string): string;
  optionalText(field: string): string | undefined;
  hex(field: string, bytes: number): string;
  optionalHex(field: string, bytes: number): string | undefined;
  count(field: string): number;
  optionalCount(field: string): number | undefined;
  bytes(field: string): Uint8Array;
  list<Item>(field: string, read: (item: JsonFields) => Item): readonly Item[];
  has(field: string): boolean;
  fail(reason: string): GarrisonError;
}

export function parseJson(body: Uint8Array, what: string): JsonFields {
  return fieldsOf(parseJsonObject(body, what), what);
}

export function parseJsonObject(body: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (cause) {
    throw new GarrisonError("object-malformed", `${what} is not JSON`, { cause });
  }
  return objectOf(value, what);
}

export function formatJson(value: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(value), "utf8");
}

function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new GarrisonError("object-malformed", `${what}: not an object`);
}

function fieldsOf(object: JsonObject, what: string): JsonFields {
  const fail = (reason: string) => new GarrisonError("object-malformed", `${what}: ${reason}`);
  const text = (field: string): string => {
    const found = object[field];
    if (typeof found !== "string") throw fail(`${field} is not a text`);
    return found;
  };
  const hex = (field: string, bytes: number): string => {
    const found = text(field);
    if (found.length !== bytes * 2 || !/^[0-9a-f]*$/.test(found))
      throw fail(`${field} is not ${bytes} bytes in hex`);
    return found;
  };
  const count = (field: string): number => {
    const found = object[field];
    if (!Number.isSafeInteger(found) || (found as number) < 0) throw fail(`${field} is not a count`);
    return found as number;
  };
  return {
    fail,
    has: (field) => object[field] !== undefined,
    text,
    hex,
    count,
    optionalCount: (field) => (object[field] === undefined ? undefined : count(field)),
    optionalText: (field) => (object[field] === undefined ? undefined : text(field)),
    optionalHex: (field, bytes) => (object[field] === undefined ? undefined : hex(field, bytes)),
    bytes: (field) => new Uint8Array(Buffer.from(text(field), "base64")),
    list(field, read) {
      const found = object[field];
      if (!Array.isArray(found)) throw fail(`${field} is not a list`);
      return found.map((item, index) => {
        const where = `${what}, ${field}[${index}]`;
        return read(fieldsOf(objectOf(item, where), where));
      });
    },
  };
}
