import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import { decodeAgentMessage, encodeAgentMessage, newAgentMessage, payloadOf } from "../agent-message.ts";
import { AgentCallError, callService, currentCredentials, type AgentContext } from "./agent-context.ts";
import type { CommandRunner } from "./command-runner.ts";
import type { CommandPayload } from "./run-document.ts";
import { signRequest } from "./sign-request.ts";

interface AgentJob {
  readonly Content: string;
  readonly JobId: string;
  readonly Topic: string;
}

/**
 * Takes commands over the message gateway (ssmmessages), as agents do today: CreateControlChannel gives a token, the
 * signed websocket is opened with it, jobs come as binary messages, are acknowledged and later replied to. Returns when
 * the channel closes; throws AgentCallError when it can't be had.
 */
export async function runControlChannel(
  context: AgentContext,
  runner: CommandRunner,
  opened: () => void,
): Promise<void> {
  const path = `/v1/control-channel/${context.instanceId}`;
  const input = { MessageSchemaVersion: "1.0", RequestId: randomUUID() };
  const created = await callService(context, {
    service: "ssmmessages",
    operation: "CreateControlChannel",
    path,
    input,
  });
  const socket = await openSocket(context, `${path}?role=subscribe&stream=input`);
  socket.send(
    JSON.stringify({
      MessageSchemaVersion: "1.0",
      RequestId: randomUUID(),
      TokenValue: created["TokenValue"],
    }),
  );
  opened();
  const reply = (jobId: string) => async (content: object) => {
    if (socket.readyState !== WebSocket.OPEN) throw new Error("the control channel is closed");
    const body = { schemaVersion: 1, jobId, content: JSON.stringify(content), topic: "aws.ssm.sendCommand" };
    socket.send(encodeAgentMessage(newAgentMessage("agent_job_reply", body, context.now())));
  };
  // A broken connection also closes, which is what is waited for.
  socket.on("error", (error) => context.log(`control channel: ${String(error)}`));
  socket.on("message", (data, isBinary) => {
    if (isBinary) receiveJob(context, { socket, runner, reply, frame: data as Buffer });
  });
  const beat = setInterval(() => socket.ping(), 30_000);
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  clearInterval(beat);
}

interface ReceivedFrame {
  readonly socket: WebSocket;
  readonly runner: CommandRunner;
  readonly reply: (jobId: string) => (content: object) => Promise<void>;
  readonly frame: Buffer;
}

function receiveJob(context: AgentContext, { socket, runner, reply, frame }: ReceivedFrame): void {
  const message = decodeAgentMessage(frame);
  if (message.type !== "agent_job") return;
  const job = payloadOf(message) as AgentJob;
  const acknowledgement = {
    jobId: job.JobId,
    acknowledgedMessageId: message.messageId,
    createdDate: new Date(context.now()).toISOString(),
    statusCode: "Success",
    errorMessage: "",
  };
  socket.send(encodeAgentMessage(newAgentMessage("agent_job_ack", acknowledgement, context.now())));
  dispatchJob(runner, { topic: job.Topic, content: job.Content, reply: reply(job.JobId) });
}

export interface ArrivedJob {
  readonly topic: string;
  readonly content: string;
  readonly reply: (content: object) => Promise<void>;
}

/** Both channels carry the same contents: a command, or the message id of one to be cancelled. */
export function dispatchJob(runner: CommandRunner, { topic, content, reply }: ArrivedJob): void {
  if (topic.startsWith("aws.ssm.cancelCommand")) {
    const { CancelMessageId = "" } = JSON.parse(content) as { CancelMessageId?: string };
    runner.cancel(CancelMessageId.split(".").at(-2) ?? "");
  } else {
    runner.start(JSON.parse(content) as CommandPayload, reply);
  }
}

async function openSocket(context: AgentContext, path: string): Promise<WebSocket> {
  const url = new URL(path, context.endpoint);
  const scope = {
    credentials: await currentCredentials(context),
    region: context.region,
    service: "ssmmessages",
    nowMs: context.now(),
  };
  const { host: _set, ...headers } = signRequest({ method: "GET", url, headers: {}, body: "" }, scope);
  const socket = new WebSocket(url.href.replace(/^http/, "ws"), { headers });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, answer) => {
      const code = String(answer.headers["x-amzn-errortype"] ?? "Unknown");
      reject(new AgentCallError("OpenControlChannel", { status: answer.statusCode ?? 0, code, text: "" }));
      socket.terminate();
    });
  });
}
