import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { seededRandom } from "@garrison/core/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAwsAccess } from "../access/aws-access.ts";
import { openRepositoryAccess } from "../access/repository-access.ts";
import { defaultRunLimits } from "../runs/run-dependencies.ts";
import { openSecretBox } from "../secrets/secret-box.ts";
import type { Database } from "../store/database/open-database.ts";
import { openTestDatabase, testAccount } from "../store/store-fixture.ts";
import { openServer, type RunningServer } from "./open-server.ts";

const token = "garrison_test";
let database: Database;
let server: RunningServer;

beforeAll(async () => {
  database = await openTestDatabase();
  const random = seededRandom("server");
  const secrets = openSecretBox(random.bytes(32), random);
  const access = openAwsAccess({ clock: systemClock, region: "eu-central-1", installation: "00000000" });
  const idle = async () => {
    throw new GarrisonError("internal", "no runs here");
  };
  const app = {
    queries: database.queries,
    secrets,
    clock: systemClock,
    random,
    logger: silentLogger,
    access,
    repositories: openRepositoryAccess({
      access,
      secrets,
      clock: systemClock,
      random,
      region: "eu-central-1",
    }),
    limits: defaultRunLimits,
    region: "eu-central-1",
    installation: "00000000",
    durableRuns: { start: idle, cancel: idle, [Symbol.asyncDispose]: async () => undefined },
    sweeper: { plan: idle, execute: idle },
  };
  server = await openServer(app, { host: "127.0.0.1", port: 0, token });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(path: string, { body, headers }: Ask = {}) {
  const response = await fetch(new URL(path, server.url), {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  return { status: response.status, type: response.headers.get("content-type"), body: answer };
}

describe("who may ask", () => {
  test.each([
    ["no token", { authorization: "" }],
    ["a wrong token", { authorization: "Bearer wrong" }],
    ["another scheme", { authorization: `Basic ${token}` }],
  ])("%s is refused", async (_, headers) => {
    expect(await ask("/api/v1/accounts", { headers })).toMatchObject({
      status: 401,
      body: { code: "token-invalid" },
    });
  });

  test("anybody may ask whether it lives", async () => {
    expect(await ask("/healthz", { headers: { authorization: "" } })).toMatchObject({ status: 200 });
    expect(await ask("/readyz", { headers: { authorization: "" } })).toMatchObject({
      body: { status: "ready" },
    });
  });
});

describe("errors are problems with a code", () => {
  interface Refusal extends Ask {
    readonly of: string;
    readonly path: string;
    readonly status: number;
    readonly code: string;
  }

  const refusals: readonly Refusal[] = [
    { of: "a path that is not there", path: "/api/v1/nothing", status: 404, code: "record-missing" },
    { of: "a record that is not there", path: "/api/v1/runs/run-0", status: 404, code: "record-missing" },
    {
      of: "a body that is no JSON",
      path: "/api/v1/accounts",
      body: "{",
      status: 400,
      code: "request-invalid",
    },
    { of: "another shape", path: "/api/v1/accounts", body: { id: 1 }, status: 400, code: "request-invalid" },
    { of: "a wrong parameter", path: "/api/v1/accounts/abc", status: 400, code: "request-invalid" },
    { of: "too great a limit", path: "/api/v1/runs?limit=501", status: 400, code: "request-invalid" },
    { of: "what has no name", path: "/api/v1/sweep", body: {}, status: 500, code: "internal" },
  ];

  test.each(refusals)("$of: $code", async ({ path, status, code, ...request }) => {
    const answer = await ask(path, request);
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.type).toContain("application/problem+json");
    expect(JSON.stringify(answer.body)).not.toContain("node_modules");
  });
});

describe("a creation with an idempotency key", () => {
  const headers = { "idempotency-key": "key-1" };

  test("happens once, and answers the same again", async () => {
    const first = await ask("/api/v1/accounts", { body: testAccount, headers });
    expect(first.status).toBe(201);
    expect(await ask("/api/v1/accounts", { body: testAccount, headers })).toEqual(first);
    expect((await ask("/api/v1/accounts")).body.items).toHaveLength(1);
  });

  test("refuses the key for another body; without a key the second creation is refused", async () => {
    const other = { ...testAccount, name: "other" };
    expect(await ask("/api/v1/accounts", { body: other, headers })).toMatchObject({
      status: 422,
      body: { code: "idempotency-key-reused" },
    });
    expect(await ask("/api/v1/accounts", { body: testAccount })).toMatchObject({
      status: 409,
      body: { code: "record-exists" },
    });
  });
});

describe("repositories", () => {
  const password = "correct horse battery";
  let url: string;
  beforeAll(async () => {
    url = `file://${await mkdtemp(join(tmpdir(), "garrison-server-"))}`;
  });

  test("are made, and their secret is neither answered nor stored in the open", async () => {
    const body = { name: "local", url, mode: "init", password };
    const made = await ask("/api/v1/repositories", { body });
    expect(made).toMatchObject({ status: 201, body: { kind: "folder", name: "local" } });
    const listed = await ask("/api/v1/repositories");
    const stored = await database.pool.query<{ secret: string }>("select * from repository");
    expect(JSON.stringify([made, listed, stored.rows])).not.toContain(password);
  });

  test("are adopted only with their password", async () => {
    const body = { name: "again", url, mode: "adopt", password: "wrong" };
    expect(await ask("/api/v1/repositories", { body })).toMatchObject({
      status: 403,
      body: { code: "repository-password-wrong" },
    });
  });

  test("are not made over one that exists", async () => {
    const body = { name: "over", url, mode: "init", password };
    expect(await ask("/api/v1/repositories", { body })).toMatchObject({
      body: { code: "repository-exists" },
    });
  });
});
