import type { GarrisonErrorCode } from "@garrison/core/error-table";
import { errorTable } from "@garrison/core/error-table";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { z } from "zod";
import type { ApiOperation } from "./operation.ts";
import { operations, type OperationId, type Operations } from "./operations.ts";
import { readEventStream } from "./read-event-stream.ts";
import { problemSchema } from "./schemas/shared.ts";
import { runWithStepsSchema, type RunWithSteps } from "./schemas/runs.ts";

type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : never;
type SchemaAt<Operation, Part extends string> = Operation extends { readonly [Name in Part]: infer Schema }
  ? Schema
  : undefined;

/** What one operation takes; parts that it has no schema for can't be given. */
export type RequestOf<Id extends OperationId> = {
  readonly [
    Part in "params" | "query" | "body" as SchemaAt<Operations[Id], Part> extends undefined ? never : Part
  ]: InputOf<SchemaAt<Operations[Id], Part>>;
} & { readonly idempotencyKey?: string };

export type ResponseOf<Id extends OperationId> = z.output<Operations[Id]["response"]>;

export interface ApiConnection {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly token: string;
  readonly fetch?: typeof fetch;
}

export interface ApiClient {
  /** Throws the server's own error code, or `appliance-unreachable`. */
  call<Id extends OperationId>(
    operation: Id,
    request: RequestOf<Id>,
    signal: AbortSignal,
  ): Promise<ResponseOf<Id>>;
  /** The run at each change, until it has ended. */
  watchRun(runId: string, signal: AbortSignal): AsyncGenerator<RunWithSteps>;
}

interface LooseRequest {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

export function openApiClient(connection: ApiConnection): ApiClient {
  return {
    async call(id, request, signal) {
      const operation: ApiOperation = operations[id];
      const response = await send(connection, { operation, request, signal });
      return operation.response.parse(await response.json()) as ResponseOf<typeof id>;
    },
    async *watchRun(runId, signal) {
      const request = { params: { runId } };
      const response = await send(connection, { operation: operations.watchRun, request, signal });
      if (response.body === null) return;
      for await (const event of readEventStream(response.body)) {
        if (event.name === "run") yield runWithStepsSchema.parse(JSON.parse(event.data));
      }
    },
  };
}

interface Sending {
  readonly operation: ApiOperation;
  readonly request: LooseRequest;
  readonly signal: AbortSignal;
}

async function send(connection: ApiConnection, sending: Sending): Promise<Response> {
  const { operation, request, signal } = sending;
  const headers: Record<string, string> = { authorization: `Bearer ${connection.token}` };
  if (request.idempotencyKey !== undefined) headers["idempotency-key"] = request.idempotencyKey;
  if (request.body !== undefined) headers["content-type"] = "application/json";
  const url = new URL(fillPath(operation.path, request.params), connection.url);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const init: RequestInit = {
    method: operation.method,
    headers,
    signal,
    ...(body === undefined ? {} : { body }),
  };
  const response = await (connection.fetch ?? fetch)(url, init).catch((error: unknown) => {
    throw signal.aborted
      ? (signal.reason as Error)
      : new GarrisonError("appliance-unreachable", `no appliance answers at ${connection.url}`, {
          cause: error,
        });
  });
  if (response.ok) return response;
  throw await readProblem(response, `${operation.method} ${url.pathname}`);
}

async function readProblem(response: Response, doing: string): Promise<GarrisonError> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) {
    return new GarrisonError(
      "appliance-unreachable",
      `${doing} was answered ${response.status} without a reason`,
    );
  }
  const { code, detail, details } = parsed.data;
  const known = Object.hasOwn(errorTable, code) ? (code as GarrisonErrorCode) : "internal";
  return new GarrisonError(known, detail, { details: details ?? {} });
}

function fillPath(path: string, params: Readonly<Record<string, unknown>> | undefined): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params?.[name] ?? "")));
}
