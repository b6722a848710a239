import type { LabService, PlainJson } from "./operation-handler.ts";
import { readOperation, readShape, type OperationSchema, type Shape } from "./schema.ts";

export type ProtocolKind = "ec2-query" | "query" | "json" | "rest-json" | "rest-xml" | "plain-json";

/** A service's operations and protocol as its SDK client's schemas tell them. */
export interface ServiceSchemas {
  readonly kind: ProtocolKind;
  readonly jsonVersion: "1.0" | "1.1";
  readonly xmlNamespace: string | undefined;
  /** Namespace of `__type` in JSON errors. */
  readonly namespace: string;
  readonly operations: ReadonlyMap<string, OperationSchema>;
  readonly errors: ReadonlyMap<string, ErrorSchema>;
  /** Also takes the older form-encoded protocol (SQS). */
  readonly queryCompatible: boolean;
}

export interface ErrorSchema {
  readonly name: string;
  readonly status: number;
  /** Code in the query protocol, where it differs from the name. */
  readonly queryCode?: string;
  readonly shape: Shape;
}

interface LoadedClient {
  readonly config: {
    readonly protocol: { getShapeId(): string };
    readonly protocolSettings?: {
      readonly defaultNamespace?: string;
      readonly xmlNamespace?: string;
      readonly awsQueryCompatible?: boolean;
    };
  };
}

const protocolKinds: Readonly<Record<string, ProtocolKind>> = {
  ec2Query: "ec2-query",
  awsQuery: "query",
  awsJson1_0: "json",
  awsJson1_1: "json",
  restJson1: "rest-json",
  restXml: "rest-xml",
};

/** Loads a service's client and reads its schemas. */
export async function loadServiceSchemas(service: LabService): Promise<ServiceSchemas> {
  const loaded = await service.load();
  if ("plainJson" in loaded) return plainSchemas(loaded, service);
  const { protocol, protocolSettings } = (loaded.client as LoadedClient).config;
  const protocolName = protocol.getShapeId().split("#")[1] ?? "";
  const kind = protocolKinds[protocolName];
  if (kind === undefined)
    throw new TypeError(`${service.signingName} speaks ${protocolName}, which the lab doesn't`);
  const exported = Object.values(loaded.module).filter((value): value is unknown[] => Array.isArray(value));
  return {
    kind,
    jsonVersion: protocolName === "awsJson1_1" ? "1.1" : "1.0",
    xmlNamespace: protocolSettings?.xmlNamespace,
    namespace: protocolSettings?.defaultNamespace ?? service.signingName,
    operations: new Map(
      exported.filter((tuple) => tuple[0] === 9).map((tuple) => [String(tuple[2]), readOperation(tuple)]),
    ),
    errors: new Map(
      exported.filter((tuple) => tuple[0] === -3).map((tuple) => [String(tuple[2]), readError(tuple)]),
    ),
    queryCompatible: protocolSettings?.awsQueryCompatible ?? false,
  };
}

function readError(tuple: readonly unknown[]): ErrorSchema {
  const traits = (typeof tuple[3] === "object" ? tuple[3] : {}) as Readonly<Record<string, unknown>>;
  const [queryCode, queryStatus] = (traits["awsQueryError"] ?? []) as [string?, number?];
  const fallback = traits["error"] === "server" ? 500 : 400;
  return {
    name: String(tuple[2]),
    status: Number(queryStatus ?? traits["httpError"] ?? fallback),
    shape: readShape(tuple),
    ...(queryCode === undefined ? {} : { queryCode }),
  };
}

function plainSchemas(loaded: PlainJson, service: LabService): ServiceSchemas {
  const names = new Set([
    ...Object.keys(service.operations),
    ...loaded.plainJson.map((route) => route.operation),
  ]);
  const operation = (name: string): OperationSchema => {
    const route = loaded.plainJson.find((candidate) => candidate.operation === name);
    return { name, input: undefined, output: undefined, http: route && { ...route, status: 200 } };
  };
  return {
    kind: "plain-json",
    jsonVersion: "1.1",
    xmlNamespace: undefined,
    namespace: service.signingName,
    operations: new Map([...names].map((name) => [name, operation(name)])),
    errors: new Map(),
    queryCompatible: false,
  };
}
