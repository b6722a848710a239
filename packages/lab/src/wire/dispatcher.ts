import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Lab } from "../lab.ts";
import { admitBody, type Admitted } from "./admitted-body.ts";
import { AwsError } from "./aws-error.ts";
import { DecodeError } from "./decode-error.ts";
import { decodeFailure } from "./decode-failures.ts";
import { internalFailure } from "./faults.ts";
import { protocolRequest, readIncoming } from "./incoming.ts";
import { heard } from "./request-body.ts";
import { logCall } from "./log-call.ts";
import { Dropped, meetFault } from "./meet-fault.ts";
import { networkPath, staySilent } from "./network-origin.ts";
import { openCall } from "./open-call.ts";
import type { OpenedService, ServiceRegistry } from "./open-services.ts";
import type { Call } from "./operation-handler.ts";
import type { Progress } from "./progress.ts";
import type { Decoded } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import { checkRequired } from "./required-members.ts";
import { sendReply } from "./send-reply.ts";
import { spoilReply } from "./spoil-reply.ts";
import { recordEvent } from "../services/cloudtrail/record-event.ts";
import { openSigningKeys, type SigningKeys } from "./signature.ts";

export interface Dispatcher {
  /** Answers an AWS request; whatever a handler throws is an answer too. */
  answer(message: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Verifies a websocket request and hands it to its service. */
  admitUpgrade(message: IncomingMessage): Promise<{ readonly service: OpenedService; readonly call: Call }>;
}

export function openDispatcher(lab: Lab, registry: ServiceRegistry): Dispatcher {
  const keys = openSigningKeys();
  return {
    async answer(message, response) {
      heard(message);
      const { progress, end } = begin(lab, message, response);
      try {
        if (isUnreachable(lab, progress)) await staySilent(lab, message);
        else await answerCall(lab, { progress, registry, keys }, response);
      } finally {
        end();
      }
    },
    async admitUpgrade(message) {
      const incoming = readIncoming(message);
      const path = networkPath(lab, incoming);
      if (path?.kind === "closed") {
        await staySilent(lab, message);
        throw new Dropped();
      }
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
      const progress: Progress = {
        requestId: randomUUID(),
        incoming,
        path,
        signal: lab.stopping,
        whenAnswered: (run) => void message.socket.once("close", run),
        service,
      };
      return { service, call: openCall(lab, progress, admitted) };
    },
  };
}

/** The request of an instance whose network doesn't lead to the service; the log alone tells why. */
function isUnreachable(lab: Lab, progress: Progress): boolean {
  if (progress.path?.kind !== "closed") return false;
  logCall(lab, progress, { code: "Unreachable", detail: progress.path.why });
  return true;
}

interface BegunCall {
  readonly progress: Progress;
  /** Nothing works on the call any more. */
  end(): void;
}

/** A client may go away before its call ends, and a call ends before its answer has left: both are waited for. */
function begin(lab: Lab, message: IncomingMessage, response: ServerResponse): BegunCall {
  const gone = new AbortController();
  const afterwards: (() => void)[] = [];
  let left = 2;
  const end = (): void => {
    left -= 1;
    if (left === 0) for (const run of afterwards) run();
  };
  const stop = (): void => gone.abort(lab.stopping.reason);
  lab.stopping.addEventListener("abort", stop, { once: true });
  response.once("close", () => {
    lab.stopping.removeEventListener("abort", stop);
    if (!response.writableFinished) gone.abort();
    end();
  });
  const incoming = readIncoming(message);
  const progress: Progress = {
    requestId: randomUUID(),
    incoming,
    path: networkPath(lab, incoming),
    signal: gone.signal,
    whenAnswered: (run) => void afterwards.push(run),
  };
  return { progress, end };
}

async function answerCall(lab: Lab, performance: Performance, response: ServerResponse): Promise<void> {
  const { progress } = performance;
  const { message } = progress.incoming;
  let reply: Reply;
  let failure: AwsError | undefined;
  try {
    reply = await perform(lab, performance);
  } catch (error) {
    if (error instanceof Dropped) return void message.socket.destroy();
    failure = asAwsError(lab, error, progress);
    reply = encodeFailure(failure, progress);
  }
  logCall(lab, progress, failure);
  recordEvent(lab, progress, failure);
  try {
    if (progress.spoiling !== undefined) reply = spoilReply(lab, progress.spoiling, reply);
  } catch {
    return void message.socket.destroy();
  }
  reply.headers["date"] = new Date(lab.clock.now()).toUTCString();
  sendReply(response, reply, message.method === "HEAD");
  // A body that nobody read would block the connection's next request.
  if (!message.readableEnded) message.resume();
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
    memory: service.service.borrowsBodies === true ? blockMemory(lab, progress) : undefined,
  });
  const decoded = protocol.decode(target, request, admitted.body);
  progress.operation = decoded.operation.name;
  await meetFault(lab, progress);
  if (decoded.operation.input !== undefined) checkRequired(decoded.operation.input, decoded.input, kind);
  progress.input = decoded.input as Readonly<Record<string, unknown>>;
  const output = (await runOperation(lab, { progress, decoded, admitted })) as Readonly<
    Record<string, unknown>
  >;
  progress.output = output;
  return protocol.encode(decoded.operation, output, requestId);
}

function blockMemory(lab: Lab, progress: Progress): () => Buffer {
  return () => {
    const buffer = lab.buffers.take();
    progress.whenAnswered(() => lab.buffers.giveBack(buffer));
    return buffer;
  };
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
