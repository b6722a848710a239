import { z } from "zod";
import type { ApiOperation } from "./operation.ts";
import { operations } from "./operations.ts";
import { problemSchema } from "./schemas/shared.ts";

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of the whole table; the same text for the same table. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [operationId, operation] of Object.entries<ApiOperation>(operations)) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method.toLowerCase()] = describeOperation(operationId, operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Garrison",
      version: "1",
      description: "Backup for AWS. Errors are problem+json with a code of docs/errors.md.",
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: toJson(problemSchema, "output") },
    },
  };
}

function describeOperation(operationId: string, operation: ApiOperation): Json {
  const { body, method, status = 200 } = operation;
  const mediaType = operation.isStream === true ? "text/event-stream" : "application/json";
  const content = { [mediaType]: { schema: toJson(operation.response, "output") } };
  return {
    operationId,
    summary: operation.summary,
    tags: [operation.tag],
    ...(operation.isPublic === true ? { security: [] } : {}),
    parameters: [
      ...parameters(operation.params, "path"),
      ...parameters(operation.query, "query"),
      ...(method === "POST" && status !== 200 ? [idempotencyKey] : []),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: toJson(body, "input") } } },
        }),
    responses: {
      [String(status)]: { description: "done", content },
      default: {
        description: "what went wrong",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "The same key with the same body answers what the first call answered, and does nothing again.",
  schema: { type: "string", maxLength: 128 },
};

function parameters(schema: z.ZodObject | undefined, place: "path" | "query"): readonly Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const type = field as z.ZodType;
    return {
      name,
      in: place,
      required: place === "path" || !type.safeParse(undefined).success,
      schema: toJson(type, "input"),
    };
  });
}

function toJson(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
