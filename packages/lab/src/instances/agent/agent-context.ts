import type { MetadataClient } from "./metadata-client.ts";
import { signRequest, type AgentCredentials } from "./sign-request.ts";

/** What every part of the agent works with. */
export interface AgentContext {
  readonly instanceId: string;
  readonly region: string;
  readonly endpoint: string;
  readonly metadata: MetadataClient;
  /** The folder for orchestration: scripts and their outputs. */
  readonly dataDir: string;
  readonly log: (message: string) => void;
  readonly now: () => number;
  readonly sleep: (durationMs: number) => Promise<void>;
}

/** An AWS call that was answered with an error. */
export class AgentCallError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(
    operation: string,
    answer: { readonly status: number; readonly code: string; readonly text: string },
  ) {
    super(`${operation}: ${answer.code} (${answer.status}) ${answer.text}`);
    this.code = answer.code;
    this.status = answer.status;
  }

  get isDenied(): boolean {
    return (
      this.status === 403 ||
      this.code.startsWith("AccessDenied") ||
      this.code === "UnrecognizedClientException"
    );
  }
}

export async function currentCredentials(context: AgentContext): Promise<AgentCredentials> {
  const credentials = await context.metadata.credentials();
  if (credentials !== undefined) return credentials;
  throw new AgentCallError("credentials", { status: 403, code: "NoRole", text: "the instance has no role" });
}

export interface AgentCall {
  readonly service: string;
  readonly operation: string;
  /** For JSON 1.1 services the target's prefix, for REST ones the path. */
  readonly target?: string;
  readonly path?: string;
  readonly input: object;
  readonly timeoutMs?: number;
}

/** One signed call under the instance's role. */
export async function callService(context: AgentContext, call: AgentCall): Promise<Record<string, unknown>> {
  const { service, operation, target, path = "/", input } = call;
  const url = new URL(path, context.endpoint);
  const body = JSON.stringify(input);
  const headers = {
    "content-type": target === undefined ? "application/json" : "application/x-amz-json-1.1",
    ...(target === undefined ? {} : { "x-amz-target": `${target}.${operation}` }),
  };
  const scope = {
    credentials: await currentCredentials(context),
    region: context.region,
    service,
    nowMs: context.now(),
  };
  const answer = await fetch(url, {
    method: "POST",
    headers: signRequest({ method: "POST", url, headers, body }, scope),
    body,
    signal: AbortSignal.timeout(call.timeoutMs ?? 30_000),
  });
  const text = await answer.text();
  if (answer.ok) return parseAnswer(text);
  const code = answer.headers.get("x-amzn-errortype") ?? /"__type":"([^"]*)"/.exec(text)?.[1] ?? "Unknown";
  throw new AgentCallError(operation, { status: answer.status, code: code.replace(/^.*#/, ""), text });
}

// The message gateway answers in XML, everything else in JSON.
function parseAnswer(text: string): Record<string, unknown> {
  if (!text.startsWith("<")) return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(
    [...text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name, value]) => [name, value]),
  );
}
