import { createHash, timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import type { AddressInfo } from "node:net";
import { openApiDocument } from "@garrison/api/openapi-document";
import type { ApiOperation } from "@garrison/api/operation";
import { operations, type OperationId } from "@garrison/api/operations";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { z } from "zod";
import type { AppDependencies } from "../app/app-dependencies.ts";
import { handlers } from "../app/api-handlers.ts";
import { nameError, toProblem } from "./answer-problem.ts";
import { answerOnce } from "./answer-once.ts";

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
}

const bodyLimitBytes = 1024 * 1024;

/** Serves the operation table: authorizes, checks shapes, calls the handler, carries the answer. Knows no operation. */
export async function openServer(
  dependencies: AppDependencies,
  options: ServerOptions,
): Promise<RunningServer> {
  const server = Fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: true });
  const closing = new AbortController();
  server.setErrorHandler((error, request, reply) => answerError(dependencies, { error, request, reply }));
  server.setNotFoundHandler((request, reply) => {
    const error = new GarrisonError("record-missing", `there is nothing at ${request.method} ${request.url}`);
    return answerError(dependencies, { error, request, reply });
  });
  for (const id of Object.keys(operations) as OperationId[]) {
    addRoute(server, { dependencies, options, id, closing: closing.signal });
  }
  server.get("/openapi.json", async () => openApiDocument());
  await server.listen({ host: options.host, port: options.port });
  const { port } = server.server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.close();
    },
  };
}

interface Route {
  readonly dependencies: AppDependencies;
  readonly options: ServerOptions;
  readonly id: OperationId;
  readonly closing: AbortSignal;
}

function addRoute(server: FastifyInstance, route: Route): void {
  const operation: ApiOperation = operations[route.id];
  server.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    handler: (request, reply) => answer(route, request, reply),
  });
}

type LooseHandler = (
  dependencies: AppDependencies,
  input: unknown,
) => Promise<unknown> | AsyncGenerator<unknown>;

async function answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { dependencies, id } = route;
  const operation: ApiOperation = operations[id];
  if (operation.isPublic !== true) requireToken(request, route.options.token);
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const input = {
    params: parsePart(operation.params, request.params, "path"),
    query: parsePart(operation.query, request.query, "query"),
    body: parsePart(operation.body, request.body ?? {}, "body"),
    signal: AbortSignal.any([gone.signal, route.closing]),
  };
  const handler = handlers[id] as LooseHandler;
  if (operation.isStream === true) {
    return sendEvents(reply, handler(dependencies, input) as AsyncGenerator<unknown>);
  }
  const result = await answerOnce(
    dependencies,
    { key: request.headers["idempotency-key"], operation: id, body: request.body },
    async () => operation.response.parse(await handler(dependencies, input)),
  );
  return reply.status(operation.status ?? 200).send(result);
}

function parsePart(schema: z.ZodType | undefined, value: unknown, part: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [part, ...(issue?.path ?? []).map(String)].join(".");
  throw new GarrisonError("request-invalid", `${where}: ${issue?.message ?? "not well formed"}`, {
    details: {
      issues: parsed.error.issues
        .slice(0, 10)
        .map(({ path, message }) => ({ path: path.join("."), message })),
    },
  });
}

/** Compared by digest, so that neither time nor length tells how much of it was right. */
function requireToken(request: FastifyRequest, token: string): void {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new GarrisonError("token-invalid", given === "" ? "no bearer token was sent" : "the token is wrong");
}

async function sendEvents(reply: FastifyReply, events: AsyncGenerator<unknown>): Promise<unknown> {
  // The first event decides whether there is anything to stream: an error still gets its status.
  const first = await events.next();
  async function* lines() {
    if (first.done !== true) yield formatEvent(first.value);
    for await (const event of events) yield formatEvent(event);
  }
  return reply
    .header("content-type", "text/event-stream")
    .header("cache-control", "no-store")
    .send(Readable.from(lines()));
}

function formatEvent(value: unknown): string {
  return `event: run\ndata: ${JSON.stringify(value)}\n\n`;
}

function answerError(
  { logger }: AppDependencies,
  failed: { readonly error: unknown; readonly request: FastifyRequest; readonly reply: FastifyReply },
): FastifyReply {
  const named = nameError(failed.error);
  const problem = toProblem(named);
  const where = { method: failed.request.method, path: failed.request.url.split("?")[0] };
  if (problem.status >= 500) {
    const cause = named.cause instanceof Error ? named.cause.stack : undefined;
    logger.error({ ...where, error: describeError(named), stack: cause }, "an operation failed");
  }
  return failed.reply.status(problem.status).type("application/problem+json").send(problem);
}
