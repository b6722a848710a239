import type { OperationSchema } from "./schema.ts";
import { DecodeError } from "./decode-error.ts";

export interface RestRequest {
  readonly method: string;
  /** Undecoded, and for S3 without the bucket. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** S3 only: the bucket of host or path; empty when the request names none. */
  readonly bucket?: string;
}

export interface RestMatch {
  readonly operation: OperationSchema;
  readonly labels: Readonly<Record<string, string>>;
}

export type RestRouter = (request: RestRequest) => RestMatch;

interface Segment {
  readonly literal?: string;
  readonly label?: string;
}

interface Route {
  readonly operation: OperationSchema;
  readonly segments: readonly Segment[];
  /** The last label takes the rest of the path, slashes too. */
  readonly greedy: boolean;
  readonly literals: readonly (readonly [name: string, value: string])[];
  readonly neededQuery: readonly string[];
  readonly neededHeaders: readonly string[];
  readonly takesBucket: boolean;
  readonly weight: number;
}

/**
 * Finds the operation of a REST request. Several operations share a path and differ in the query strings or headers
 * they require (UploadPart, CopyObject and PutObject), so the most demanding route is tried first. The `x-id` that the
 * JavaScript SDK adds is not asked for: other clients don't send it.
 */
export function restRouter(operations: Iterable<OperationSchema>): RestRouter {
  const byMethod = new Map<string, Route[]>();
  for (const operation of operations) {
    if (operation.http === undefined) continue;
    const routes = byMethod.get(operation.http.method) ?? [];
    routes.push(readRoute(operation));
    byMethod.set(operation.http.method, routes);
  }
  for (const routes of byMethod.values()) routes.sort((a, b) => b.weight - a.weight);
  return (request) => {
    const parts = request.path.split("/").slice(1);
    if (parts.length > 1 && parts.at(-1) === "" && request.bucket === undefined) parts.pop();
    for (const route of byMethod.get(request.method) ?? []) {
      const labels = matchRoute(route, parts, request);
      if (labels !== undefined) return { operation: route.operation, labels };
    }
    throw new DecodeError(
      "unknown-operation",
      `${request.method} ${request.path}`,
      `no operation at ${request.method} ${request.path}`,
    );
  };
}

function readRoute(operation: OperationSchema): Route {
  const [path = "/", search = ""] = operation.http!.path.split("?");
  const segments = path.split("/").slice(1).map(readSegment);
  const literals = [...new URLSearchParams(search)].filter(([name]) => name !== "x-id");
  const required =
    operation.input?.members.filter((member) => member.required).map((member) => member.traits) ?? [];
  const neededQuery = required.flatMap((traits) =>
    traits["httpQuery"] ? [String(traits["httpQuery"])] : [],
  );
  const neededHeaders = required.flatMap((traits) =>
    traits["httpHeader"] ? [String(traits["httpHeader"]).toLowerCase()] : [],
  );
  const labels = segments.filter((segment) => segment.label !== undefined).length;
  return {
    operation,
    segments,
    greedy: path.includes("+}"),
    literals,
    neededQuery,
    neededHeaders,
    takesBucket: operation.input?.members.some((member) => member.name === "Bucket") ?? false,
    weight:
      literals.length * 100 +
      (neededQuery.length + neededHeaders.length) * 10 +
      segments.length -
      labels * 0.1,
  };
}

function readSegment(text: string): Segment {
  return text.startsWith("{") ? { label: text.slice(1, text.endsWith("+}") ? -2 : -1) } : { literal: text };
}

function matchRoute(
  route: Route,
  parts: readonly string[],
  request: RestRequest,
): Record<string, string> | undefined {
  if (request.bucket !== undefined && (request.bucket !== "") !== route.takesBucket) return undefined;
  const { segments } = route;
  if (route.greedy ? parts.length < segments.length : parts.length !== segments.length) return undefined;
  for (const [name, value] of route.literals) {
    if (!request.query.has(name) || (value !== "" && request.query.get(name) !== value)) return undefined;
  }
  if (!route.neededQuery.every((name) => request.query.has(name))) return undefined;
  if (!route.neededHeaders.every((name) => request.headers[name] !== undefined)) return undefined;
  return readLabels(route, parts);
}

function readLabels(route: Route, parts: readonly string[]): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const [index, { literal, label }] of route.segments.entries()) {
    const last = route.greedy && index === route.segments.length - 1;
    const text = last ? parts.slice(index).join("/") : parts[index]!;
    if (literal !== undefined && literal !== text) return undefined;
    if (label === undefined) continue;
    if (text === "") return undefined;
    labels[label] = decodeLabel(text);
  }
  return labels;
}

function decodeLabel(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DecodeError("malformed-value", text, "the path is not valid percent-coding");
  }
}
