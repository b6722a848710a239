import { writeJsonStructure } from "./json-codec.ts";
import type { Reply } from "./reply.ts";
import { isBodyMember, payloadOf, type RestBodyFormat } from "./rest-input.ts";
import type { Member, OperationSchema, Shape } from "./schema.ts";
import { writeText } from "./text-values.ts";
import { writeXmlMembers, xmlDocument, xmlNameOf } from "./xml-writer.ts";

export interface RestOutputOptions {
  readonly format: RestBodyFormat;
  readonly namespace?: string;
}

/** An operation's output as status, headers and body. */
export function writeRestOutput(
  operation: OperationSchema,
  output: Readonly<Record<string, unknown>>,
  options: RestOutputOptions,
): Reply {
  const shape = operation.output;
  const headers: Record<string, string> = {};
  let status = operation.http?.status ?? 200;
  if (shape === undefined) return { status, headers, body: "" };
  for (const member of shape.members) {
    const value = output[member.name];
    if (value === undefined || value === null) continue;
    const { traits } = member;
    if (traits["httpHeader"]) headers[String(traits["httpHeader"]).toLowerCase()] = headerText(member, value);
    else if (traits["httpPrefixHeaders"])
      Object.assign(headers, prefixed(String(traits["httpPrefixHeaders"]), value));
    else if (traits["httpResponseCode"]) status = Number(value);
  }
  // S3's model says 200 for whatever range was asked for; HTTP and S3 itself say 206.
  if (status === 200 && headers["content-range"] !== undefined) status = 206;
  const body = writeBody(shape, output, options);
  if (body.type !== undefined) headers["content-type"] ??= body.type;
  return { status, headers, body: body.content };
}

function headerText(member: Member, value: unknown): string {
  const { shape } = member;
  if (shape.kind !== "list") return writeText(member, value, "http-date");
  return Array.from(value as Iterable<unknown>, (item) => writeText(shape.value!, item, "http-date")).join(
    ", ",
  );
}

function prefixed(prefix: string, value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value as object).map(([name, text]) => [prefix + name, String(text)]),
  );
}

interface WrittenBody {
  readonly type?: string;
  readonly content: Reply["body"];
}

const contentTypes = { json: "application/json", xml: "application/xml" } as const;

function writeBody(
  shape: Shape,
  output: Readonly<Record<string, unknown>>,
  options: RestOutputOptions,
): WrittenBody {
  const payload = payloadOf(shape);
  const type = contentTypes[options.format];
  if (payload !== undefined) return writePayload(payload, output[payload.name], options);
  if (!shape.members.some(isBodyMember)) return { content: "" };
  if (options.format === "json")
    return { type, content: JSON.stringify(writeJsonStructure(shape, output, isBodyMember)) };
  const root = (shape.traits["xmlName"] as string | undefined) ?? shape.name;
  const only = shape.members.length === 1 ? shape.members[0]! : undefined;
  // GetBucketLocation's one member has the root's name, and is its text rather than a child of it.
  const unwrapped = only !== undefined && xmlNameOf(only) === root;
  const content = unwrapped ? String(output[only.name] ?? "") : writeXmlMembers(shape, output, isBodyMember);
  return { type, content: xmlDocument(root, content, options.namespace) };
}

function writePayload(payload: Member, value: unknown, options: RestOutputOptions): WrittenBody {
  const { shape } = payload;
  if (value === undefined || value === null) return { content: "" };
  if (shape.kind === "blob") return { type: "application/octet-stream", content: value as Reply["body"] };
  if (shape.kind === "string") return { type: "text/plain", content: String(value) };
  const type = contentTypes[options.format];
  if (options.format === "json") return { type, content: JSON.stringify(writeJsonStructure(shape, value)) };
  const root = (payload.traits["xmlName"] as string | undefined) ?? shape.name;
  return { type, content: xmlDocument(root, writeXmlMembers(shape, value), options.namespace) };
}
