import { randomBelow, seededRandom, type Random } from "@garrison/core/random";
import { allServices } from "@garrison/lab/services/all-services";
import { openProtocols } from "@garrison/lab/wire/open-protocols";
import type { Protocol } from "@garrison/lab/wire/protocol";
import { readBody } from "@garrison/lab/wire/read-body";
import type { Member, OperationSchema, Shape } from "@garrison/lab/wire/schema";
import { loadServiceSchemas } from "@garrison/lab/wire/service-schemas";
import { HttpRequest, HttpResponse } from "@smithy/core/protocols";
import { Readable } from "node:stream";
import { expect, test } from "vitest";

/**
 * Every operation of every client goes over the wire both ways: what the SDK writes for a random input is what the lab
 * reads, and what the lab writes for a random output is what the SDK reads.
 */
interface SdkProtocol {
  serializeRequest(operation: object, input: object, context: object): Promise<HttpRequest>;
  deserializeResponse(operation: object, context: object, response: object): Promise<Record<string, unknown>>;
}

const clients = allServices.filter(({ signingName }) => !signingName.endsWith("messages"));

test.each(clients.map((service) => [service.signingName, service] as const))("%s", async (_name, service) => {
  const loaded = (await service.load()) as {
    module: Record<string, unknown>;
    client: { config: { protocol: SdkProtocol } };
  };
  const schemas = await loadServiceSchemas(service);
  const protocol = openProtocols(schemas)(undefined);
  const { config } = loaded.client;
  const wire: Wire = {
    sdk: config.protocol,
    config,
    protocol,
    isS3: service.signingName === "s3",
    kind: schemas.kind,
  };
  const failures: string[] = [];
  for (const operation of schemas.operations.values()) {
    const tuple = Object.values(loaded.module).find(
      (value) => Array.isArray(value) && value[0] === 9 && value[2] === operation.name,
    ) as unknown[];
    const random = seededRandom(operation.name);
    const sdkOperation = {
      namespace: tuple[1],
      name: tuple[2],
      traits: typeof tuple[3] === "object" ? tuple[3] : {},
      input: tuple[4],
      output: tuple[5],
    };
    for (const check of [checkInput, checkOutput]) {
      const problem = await check(wire, { operation, sdkOperation, random }).catch((error: unknown) =>
        String(error),
      );
      if (problem !== undefined) failures.push(`${operation.name} ${check.name}: ${problem}`);
    }
  }
  // Named exceptions: event streams, Object Lambda and S3 Express are no part of the lab.
  const unexpected = failures.filter(
    (failure) =>
      !/^(SelectObjectContent|WriteGetObjectResponse|CreateSession|ListDirectoryBuckets)\b/.test(failure),
  );
  expect(unexpected).toEqual([]);
});

interface Wire {
  readonly sdk: SdkProtocol;
  readonly config: object;
  readonly protocol: Protocol;
  readonly isS3: boolean;
  readonly kind: string;
}

interface Case {
  readonly operation: OperationSchema;
  readonly sdkOperation: object;
  readonly random: Random;
}

async function checkInput(
  wire: Wire,
  { operation, sdkOperation, random }: Case,
): Promise<string | undefined> {
  const given =
    operation.input === undefined ? {} : (randomValue(operation.input, random, 0) as Record<string, unknown>);
  const sent = structuredClone(given);
  const context = {
    ...wire.config,
    endpoint: async () => ({ protocol: "http:", hostname: "localhost", path: "/" }),
  };
  const request = await wire.sdk.serializeRequest(sdkOperation, sent, context);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {}))
    for (const item of [value].flat()) query.append(name, String(item ?? ""));
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const bucket = wire.isS3 ? ((given["Bucket"] as string | undefined) ?? "") : undefined;
  const incoming = {
    method: request.method,
    path: request.path || "/",
    query,
    headers,
    ...(bucket === undefined ? {} : { bucket }),
  };
  const target = wire.protocol.target(incoming);
  const body = await readBody(request.body);
  const decoded = wire.protocol.decode(target, incoming, body);
  if (decoded.operation.name !== operation.name) return `was taken for ${decoded.operation.name}`;
  return difference(normal(decoded.input), normal(given));
}

async function checkOutput(
  wire: Wire,
  { operation, sdkOperation, random }: Case,
): Promise<string | undefined> {
  const given =
    operation.output === undefined
      ? {}
      : (randomValue(operation.output, random, 0) as Record<string, unknown>);
  const reply = wire.protocol.encode(operation, given, "request-id");
  const body =
    typeof reply.body === "string" || reply.body instanceof Uint8Array
      ? Readable.from([Buffer.from(reply.body)])
      : reply.body;
  const response = new HttpResponse({ statusCode: reply.status, headers: reply.headers, body });
  const { $metadata: _metadata, ...read } = await wire.sdk.deserializeResponse(
    sdkOperation,
    wire.config,
    response,
  );
  for (const [name, value] of Object.entries(read)) {
    if (value instanceof Readable) read[name] = await readBody(value);
  }
  return difference(normal(read), normal(given));
}

function difference(actual: unknown, wanted: unknown): string | undefined {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(wanted)];
  return a === b ? undefined : `${a?.slice(0, 300)} is not ${b?.slice(0, 300)}`;
}

/** Dates and bytes as text, keys in order, and nothing that some wire can't tell from absence. */
function normal(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, normal(item)] as const);
  return Object.fromEntries(
    entries.filter(([, item]) => item !== undefined && !isEmpty(item)).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

const texts = ["plain", "a b+c", "ümlaut", "x/y=z&q", '<tag> & "quote"', "1,2"];

function randomValue(shape: Shape, random: Random, depth: number): unknown {
  if (shape.kind === "structure") return randomStructure(shape, random, depth);
  if (shape.kind === "list")
    return [0, 1].slice(depth > 3 ? 1 : 0).map(() => randomMember(shape.value!, random, depth + 1));
  if (shape.kind === "map")
    return Object.fromEntries(
      ["k1", "k2"].map((key) => [key, randomMember(shape.value!, random, depth + 1)]),
    );
  if (shape.kind === "number") return randomBelow(random, 100) + 1;
  if (shape.kind === "boolean") return randomBelow(random, 2) === 1;
  if (shape.kind === "timestamp") return new Date(1_700_000_000_000 + randomBelow(random, 1_000_000) * 1000);
  if (shape.kind === "blob") return Uint8Array.from(random.bytes(5));
  if (shape.kind === "document") return { a: 1 };
  return texts[randomBelow(random, texts.length)];
}

function randomStructure(shape: Shape, random: Random, depth: number): Record<string, unknown> {
  const isUnion = shape.traits["union"] === 1;
  const members =
    depth > 7
      ? shape.members.filter(({ shape: inner }) => !["structure", "list", "map"].includes(inner.kind))
      : shape.members;
  const chosen = isUnion ? members.slice(0, 1) : members;
  return Object.fromEntries(chosen.map((member) => [member.name, randomMember(member, random, depth + 1)]));
}

/** Headers and labels carry what HTTP lets them. */
function randomMember(member: Member, random: Random, depth: number): unknown {
  const { traits, shape } = member;
  const isHeader = traits["httpHeader"] !== undefined || traits["httpPrefixHeaders"] !== undefined;
  if (traits["httpResponseCode"]) return 200;
  if (isHeader && shape.kind === "string") return "header-text";
  if (isHeader && shape.kind === "map") return { k1: "one", k2: "two" };
  if (isHeader && shape.kind === "list") return ["one", "two"];
  return randomValue(shape, random, depth);
}
