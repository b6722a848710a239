import type { Readable } from "node:stream";
import { DecodeError } from "./decode-error.ts";
import { parseJsonBody, readJsonStructure } from "./json-codec.ts";
import type { RestMatch, RestRequest } from "./rest-routes.ts";
import type { Member, Shape } from "./schema.ts";
import { readText } from "./text-values.ts";
import { parseXml } from "./xml-parser.ts";
import { readXmlStructure } from "./xml-reader.ts";

export type RestBodyFormat = "json" | "xml";

/** Whether a member travels in the body, neither in the URI nor in a header. */
export function isBodyMember(member: Member): boolean {
  const { traits } = member;
  return !(
    traits["httpLabel"] ||
    traits["httpQuery"] ||
    traits["httpQueryParams"] ||
    traits["httpHeader"] ||
    traits["httpPrefixHeaders"] ||
    traits["httpResponseCode"]
  );
}

/** The member that is the whole body, if the shape has one. */
export function payloadOf(shape: Shape | undefined): Member | undefined {
  return shape?.members.find((member) => member.traits["httpPayload"]);
}

/** Reads a REST request into the SDK's input object. A streamed body is handed on unread. */
export function readRestInput(
  match: RestMatch,
  request: RestRequest & { readonly body: Uint8Array | Readable },
  format: RestBodyFormat,
): Record<string, unknown> {
  const shape = match.operation.input;
  if (shape === undefined) return {};
  const input = readBodyMembers(shape, request.body, format);
  for (const member of shape.members) {
    const { traits } = member;
    const value = traits["httpLabel"]
      ? readLabel(member, match.labels[member.name])
      : readBound(member, request);
    if (value !== undefined) input[member.name] = value;
    if (traits["httpQueryParams"]) input[member.name] = freeQuery(shape, request.query);
  }
  return input;
}

function readLabel(member: Member, text: string | undefined): unknown {
  return text === undefined ? undefined : readText(member, text, "date-time");
}

function readBound(member: Member, request: RestRequest): unknown {
  const { traits } = member;
  if (traits["httpQuery"]) return readQueryMember(member, request.query.getAll(String(traits["httpQuery"])));
  if (traits["httpHeader"]) {
    const text = request.headers[String(traits["httpHeader"]).toLowerCase()];
    return typeof text === "string" ? readHeader(member, text) : undefined;
  }
  if (traits["httpPrefixHeaders"] === undefined) return undefined;
  const prefix = String(traits["httpPrefixHeaders"]).toLowerCase();
  const found = Object.entries(request.headers).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), String(value)]));
}

function readQueryMember(member: Member, values: readonly string[]): unknown {
  if (values.length === 0) return undefined;
  const { shape } = member;
  if (shape.kind === "list") return values.map((value) => readText(shape.value!, value, "date-time"));
  return readText(member, values[0]!, "date-time");
}

function readHeader(member: Member, text: string): unknown {
  const { shape } = member;
  if (shape.kind !== "list") return readText(member, text, "http-date");
  return text.split(",").map((item) => readText(shape.value!, item.trim(), "http-date"));
}

function freeQuery(shape: Shape, query: URLSearchParams): Record<string, string> {
  const bound = new Set(shape.members.map((member) => member.traits["httpQuery"]));
  return Object.fromEntries([...query].filter(([name]) => !bound.has(name)));
}

function readBodyMembers(
  shape: Shape,
  body: Uint8Array | Readable,
  format: RestBodyFormat,
): Record<string, unknown> {
  const payload = payloadOf(shape);
  if (payload !== undefined) return readPayload(payload, body, format);
  const hasBody = shape.members.some(isBodyMember);
  if (!hasBody || !(body instanceof Uint8Array) || body.length === 0) return {};
  if (format === "json") return readJsonStructure(shape, parseJsonBody(body), isBodyMember);
  return readXmlStructure(shape, parseXml(Buffer.from(body).toString("utf8")), isBodyMember);
}

function readPayload(
  payload: Member,
  body: Uint8Array | Readable,
  format: RestBodyFormat,
): Record<string, unknown> {
  const { kind } = payload.shape;
  if (kind === "blob") return { [payload.name]: body };
  if (!(body instanceof Uint8Array))
    throw new DecodeError("malformed-body", payload.name, "the body is too large");
  if (body.length === 0) return {};
  const text = Buffer.from(body).toString("utf8");
  if (kind === "string") return { [payload.name]: text };
  if (format === "json") return { [payload.name]: readJsonStructure(payload.shape, parseJsonBody(body)) };
  return { [payload.name]: readXmlStructure(payload.shape, parseXml(text)) };
}
