import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { openAuthorizer, type Authorizer } from "../authorization/authorizer.ts";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { Lab } from "../lab.ts";
import { admitBody, type Admitted } from "./admitted-body.ts";
import { authenticationFailure } from "./authentication-failures.ts";
import { AwsError } from "./aws-error.ts";
import { DecodeError } from "./decode-error.ts";
import { decodeFailure } from "./decode-failures.ts";
import { internalFailure, throttled, type FaultRule } from "./faults.ts";
import { protocolRequest, readIncoming, type Incoming } from "./incoming.ts";
import type { OpenedService, ServiceRegistry } from "./open-services.ts";
import type { Call } from "./operation-handler.ts";
import type { Decoded, Protocol } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import { checkRequired } from "./required-members.ts";
import { sendReply } from "./send-reply.ts";
import { openSigningKeys, type SigningKeys } from "./signature.ts";

export interface Dispatcher {
  /** Answers an AWS request. Never rejects. */
  answer(message: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Verifies a websocket request and hands it to its service. */
  admitUpgrade(message: IncomingMessage): Promise<{ readonly service: OpenedService; readonly call: Call }>;
}

/** What is known of a request while it is answered; filled in as it is learned, for the log and for errors. */
interface Progress {
  readonly requestId: string;
  readonly incoming: Incoming;
  readonly signal: AbortSignal;
  service?: OpenedService;
  protocol?: Protocol;
  operation?: string;
  caller?: CallerPrincipal;
  authorizer?: Authorizer;
}

class Dropped extends Error {}

export function openDispatcher(lab: Lab, registry: ServiceRegistry): Dispatcher {
  const keys = openSigningKeys();
  return {
    async answer(message, response) {
      const progress = begin(lab, message, response);
      let reply: Reply;
      let errorCode: string | undefined;
      try {
        reply = await perform(lab, { progress, registry, keys });
      } catch (error) {
        if (error instanceof Dropped) return void message.socket.destroy();
        const failure = asAwsError(lab, error, progress);
        errorCode = failure.code;
        reply = encodeFailure(failure, progress);
      }
      logCall(lab, progress, errorCode);
      reply.headers["date"] = new Date(lab.clock.now()).toUTCString();
      sendReply(response, reply, message.method === "HEAD");
      // A body that nobody read would block the connection's next request.
      if (!message.readableEnded) message.resume();
    },
    async admitUpgrade(message) {
      const incoming = readIncoming(message);
      const service = await registry.open(incoming.service);
      if (service === undefined) throw new AwsError("UnknownService", incoming.service, { status: 404 });
      const { kind } = service.schemas;
      const admitted = await admitBody(lab, {
        incoming,
        kind,
        keys,
        streamsInput: false,
        allowsAnonymous: false,
      });
      const progress: Progress = { requestId: randomUUID(), incoming, signal: lab.stopping, service };
      return { service, call: openCall(lab, progress, admitted) };
    },
  };
}

function begin(lab: Lab, message: IncomingMessage, response: ServerResponse): Progress {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const stop = (): void => gone.abort(lab.stopping.reason);
  lab.stopping.addEventListener("abort", stop, { once: true });
  response.once("close", () => lab.stopping.removeEventListener("abort", stop));
  return { requestId: randomUUID(), incoming: readIncoming(message), signal: gone.signal };
}

interface Performance {
  readonly progress: Progress;
  readonly registry: ServiceRegistry;
  readonly keys: SigningKeys;
}

async function perform(lab: Lab, { progress, registry, keys }: Performance): Promise<Reply> {
  const { incoming, requestId } = progress;
  const service = await registry.open(incoming.service);
  if (service === undefined)
    throw new AwsError("UnknownService", `The lab has no service ${incoming.service}.`, { status: 501 });
  progress.service = service;
  const { kind } = service.schemas;
  const protocol = service.protocolFor(incoming.message.headers["content-type"]);
  progress.protocol = protocol;
  const request = protocolRequest(incoming);
  const target = protocol.target(request);
  const streamsInput = target?.streamsInput ?? false;
  const admitted = await admitBody(lab, {
    incoming,
    kind,
    keys,
    streamsInput,
    allowsAnonymous: kind === "rest-xml",
  });
  const decoded = protocol.decode(target, request, admitted.body);
  progress.operation = decoded.operation.name;
  await meetFault(lab, progress);
  if (decoded.operation.input !== undefined) checkRequired(decoded.operation.input, decoded.input, kind);
  const output = await runOperation(lab, { progress, decoded, admitted });
  return protocol.encode(decoded.operation, output as Readonly<Record<string, unknown>>, requestId);
}

interface OperationRun {
  readonly progress: Progress;
  readonly decoded: Decoded;
  readonly admitted: Admitted;
}

async function runOperation(lab: Lab, { progress, decoded, admitted }: OperationRun): Promise<object> {
  const { service } = progress.service!;
  const { name } = decoded.operation;
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (operation === undefined) {
    throw new AwsError("NotImplemented", `The lab does not implement ${service.signingName}:${name}.`, {
      status: 501,
    });
  }
  const call = openCall(lab, progress, admitted);
  const output = await operation(decoded.input as never, call);
  const asked = progress.authorizer!.asked().length > 0;
  if (!asked && !service.unauthorised?.includes(name))
    throw new TypeError(`${service.signingName}:${name} answered without asking for authorisation`);
  return output;
}

const anonymous: CallerPrincipal = {
  type: "anonymous",
  accountId: "",
  arn: "anonymous",
  userId: "anonymous",
  accessKeyId: "",
  tags: {},
};

function openCall(lab: Lab, progress: Progress, admitted: Admitted): Call {
  const { incoming, service, requestId, signal } = progress;
  const { headers, socket } = incoming.message;
  const principal = admitted.credential?.principal ?? anonymous;
  const region = typeof incoming.signature === "object" ? incoming.signature.region : lab.settings.region;
  const sourceIp =
    principal.session?.instance?.privateIp ?? (socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "");
  const authorizer = openAuthorizer(lab, {
    caller: principal,
    facts: { sourceIp, userAgent: headers["user-agent"] ?? "", region, nowMs: lab.clock.now() },
    deniedCode: service!.service.deniedCode,
    encodesDenials: service!.schemas.kind === "ec2-query",
  });
  progress.caller = principal;
  progress.authorizer = authorizer;
  const authentication = typeof incoming.signature === "object" ? incoming.signature.kind : "anonymous";
  const { method, rawPath: path, query } = incoming;
  return {
    requestId,
    accountId: principal.accountId,
    region,
    partition: lab.settings.partition,
    principal,
    request: {
      method,
      path,
      query,
      headers,
      host: headers.host ?? "",
      sourceIp,
      trailers: admitted.trailers,
      authentication,
    },
    lab,
    signal,
    authorize: authorizer.authorize,
    isAllowed: authorizer.isAllowed,
  };
}

async function meetFault(lab: Lab, progress: Progress): Promise<void> {
  const rule = lab.faults.next(progress.incoming.service, progress.operation!);
  if (rule !== undefined) await applyFault(lab, rule, progress);
}

async function applyFault(lab: Lab, rule: FaultRule, progress: Progress): Promise<void> {
  const { kind } = progress.service!.schemas;
  switch (rule.fault) {
    case "throttle":
      throw throttled(kind);
    case "error500":
      throw internalFailure(kind);
    case "error503":
      throw internalFailure(kind, 503);
    case "expired":
      throw authenticationFailure("expired-token", kind);
    case "drop":
      throw new Dropped();
    case "latency":
      return lab.clock.sleep(rule.latencyMs ?? 1000, progress.signal);
    case "timeout":
      await new Promise<void>((resolve) =>
        progress.signal.addEventListener("abort", () => resolve(), { once: true }),
      );
      throw new Dropped();
  }
}

function asAwsError(lab: Lab, error: unknown, progress: Progress): AwsError {
  const kind = progress.service?.schemas.kind ?? "json";
  if (error instanceof AwsError) return error;
  if (error instanceof DecodeError) return decodeFailure(error, kind);
  if (!progress.signal.aborted) {
    const fields = {
      service: progress.incoming.service,
      operation: progress.operation,
      error: error instanceof Error ? error.stack : String(error),
    };
    lab.logger.error(fields, "an operation failed inside the lab");
  }
  return internalFailure(kind);
}

function encodeFailure(failure: AwsError, progress: Progress): Reply {
  const { protocol, requestId } = progress;
  if (protocol === undefined) {
    const body = JSON.stringify({ __type: failure.code, message: failure.message });
    return {
      status: failure.status ?? 400,
      headers: { "content-type": "application/json", "x-amzn-errortype": failure.code },
      body,
    };
  }
  const reply = protocol.encodeError(failure, requestId);
  Object.assign(reply.headers, failure.headers);
  return reply;
}

function logCall(lab: Lab, progress: Progress, errorCode: string | undefined): void {
  const { incoming, requestId, operation = "", caller } = progress;
  const { headers, socket } = incoming.message;
  lab.calls.add({
    atMs: lab.clock.now(),
    requestId,
    service: incoming.service,
    operation,
    region: typeof incoming.signature === "object" ? incoming.signature.region : "",
    principalArn: caller?.arn ?? "",
    accessKeyId: typeof incoming.signature === "object" ? incoming.signature.accessKeyId : "",
    sourceIp: socket.remoteAddress ?? "",
    userAgent: headers["user-agent"] ?? "",
    actions: progress.authorizer?.asked() ?? [],
    ...(errorCode === undefined ? {} : { errorCode }),
  });
}
