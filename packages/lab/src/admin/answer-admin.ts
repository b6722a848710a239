import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminRoute, Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import { readWholeBody } from "../wire/request-body.ts";

/** Answers `/_lab/…`: not AWS, unsigned, for tests, the demo and people. */
export async function answerAdmin(
  lab: Lab,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(message.url ?? "/", "http://lab");
  const path = url.pathname.slice("/_lab/".length);
  try {
    const found = findRoute(lab, path);
    if (found === undefined) throw new AwsError("NotFound", `nothing at /_lab/${path}`, { status: 404 });
    const body = await readWholeBody(message);
    const result = await found.route({
      method: message.method ?? "GET",
      rest: found.rest,
      query: url.searchParams,
      body: body.length === 0 ? undefined : (JSON.parse(body.toString("utf8")) as unknown),
      message,
    });
    send(response, 200, result ?? {});
  } catch (error) {
    const status = error instanceof AwsError ? (error.status ?? 400) : 500;
    send(response, status, { error: error instanceof Error ? error.message : String(error) });
  }
}

function findRoute(lab: Lab, path: string): { route: AdminRoute; rest: string } | undefined {
  const prefixes = [...lab.adminRoutes.keys()].sort((a, b) => b.length - a.length);
  const prefix = prefixes.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  return prefix === undefined
    ? undefined
    : { route: lab.adminRoutes.get(prefix)!, rest: path.slice(prefix.length + 1) };
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
