import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ApiOperation } from "./operation.ts";
import { openApiDocument } from "./openapi-document.ts";
import { operations } from "./operations.ts";

const table = Object.entries<ApiOperation>(operations);

describe("the OpenAPI document", () => {
  test("is checked in as openapi.json (write it anew: node tools/write-openapi.ts)", () => {
    const stored = readFileSync(new URL("../../../openapi.json", import.meta.url), "utf8");
    expect(JSON.parse(stored)).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });

  test("has every operation of the table", () => {
    const { paths } = openApiDocument() as { paths: Record<string, Record<string, { operationId: string }>> };
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(ids.sort()).toEqual(table.map(([id]) => id).sort());
  });
});

describe("the operation table", () => {
  test("names no method and path twice", () => {
    const places = table.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test.each(table)("says what the parameters in the path of %s are", (_, { path, params }) => {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(params?.shape ?? {})).toEqual(named);
  });
});
