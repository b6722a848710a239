import { randomBytes } from "node:crypto";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import {
  decodeAgentMessage,
  encodeAgentMessage,
  newAgentMessage,
  payloadOf,
  type AgentMessage,
} from "../../instances/agent-message.ts";
import type { Lab } from "../../lab.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, LabService, UpgradeRequest } from "../../wire/operation-handler.ts";
import { acknowledge, agentJob, agentKey, invocationOfMessage, takeReply } from "./agent-jobs.ts";
import { commandStoreOf } from "./command-store.ts";
import { checkSpeaker } from "./managed-instances.ts";

/**
 * The message gateway. An agent asks for a token (CreateControlChannel), opens a signed websocket, sends the token as
 * its first, textual message (OpenControlChannel), and then is sent jobs as binary agent messages: it acknowledges each
 * (`agent_job_ack`), and later replies (`agent_job_reply`), which the service acknowledges in turn.
 */
export const ssmMessagesService: LabService = {
  signingName: "ssmmessages",
  deniedCode: "AccessDeniedException",
  load: async () => ({
    plainJson: [
      { method: "POST", path: "/v1/control-channel/{ChannelId}", operation: "CreateControlChannel" },
      { method: "POST", path: "/v1/data-channel/{ChannelId}", operation: "CreateDataChannel" },
    ],
  }),
  operations: { CreateControlChannel: createControlChannel, CreateDataChannel: createDataChannel },
  upgrade: openControlChannel,
};

interface ChannelInput {
  readonly ChannelId?: string;
}

interface ChannelToken {
  readonly instanceId: string;
  readonly untilMs: number;
}

const tokenMs = 5 * 60_000;
const tokens = new WeakMap<Lab, Map<string, ChannelToken>>();

function tokensOf(lab: Lab): Map<string, ChannelToken> {
  let known = tokens.get(lab);
  if (known === undefined) tokens.set(lab, (known = new Map()));
  return known;
}

function createControlChannel({ ChannelId = "" }: ChannelInput, call: Call) {
  call.authorize({
    action: "ssmmessages:CreateControlChannel",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  checkSpeaker(call, ChannelId);
  const known = tokensOf(call.lab);
  const nowMs = call.lab.clock.now();
  for (const [value, { untilMs }] of known) if (untilMs <= nowMs) known.delete(value);
  const TokenValue = randomBytes(48).toString("base64");
  known.set(TokenValue, { instanceId: ChannelId, untilMs: nowMs + tokenMs });
  return { MessageSchemaVersion: "1.0", TokenValue };
}

function createDataChannel(_input: ChannelInput, call: Call): never {
  call.authorize({
    action: "ssmmessages:CreateDataChannel",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  throw new AwsError("NotImplemented", "The lab has no Session Manager.", { status: 501 });
}

function openControlChannel({ message, socket, head }: UpgradeRequest, call: Call): void {
  call.authorize({
    action: "ssmmessages:OpenControlChannel",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const instanceId = /^\/v1\/control-channel\/([^/?]+)/.exec(message.url ?? "")?.[1] ?? "";
  checkSpeaker(call, instanceId);
  const server = new WebSocketServer({ noServer: true });
  server.handleUpgrade(message, socket, head, (channel) => serveChannel(call, instanceId, channel));
}

function serveChannel(call: Call, instanceId: string, channel: WebSocket): void {
  const { lab } = call;
  const stop = () => channel.terminate();
  lab.stopping.addEventListener("abort", stop, { once: true });
  let close = (): void => undefined;
  channel.on("error", () => channel.terminate());
  channel.once("close", () => {
    lab.stopping.removeEventListener("abort", stop);
    close();
  });
  channel.once("message", (data: RawData) => {
    if (!acceptToken(lab, instanceId, String(data))) return channel.close(1008, "the token is not valid");
    close = deliverJobs(call, instanceId, channel);
  });
}

function acceptToken(lab: Lab, instanceId: string, text: string): boolean {
  try {
    const { TokenValue = "" } = JSON.parse(text) as { TokenValue?: string };
    const token = tokensOf(lab).get(TokenValue);
    tokensOf(lab).delete(TokenValue);
    return token !== undefined && token.instanceId === instanceId && token.untilMs > lab.clock.now();
  } catch {
    return false;
  }
}

/** Sends what is pending, now and whenever there is more, until the channel closes. */
function deliverJobs(call: Call, instanceId: string, channel: WebSocket): () => void {
  const { lab } = call;
  const store = commandStoreOf(lab);
  const key = agentKey(call, instanceId);
  const sent = new Set<string>();
  const deliver = (): void => {
    for (const invocation of store.pendingFor(key)) {
      const job = agentJob(store, invocation);
      const id = `${job?.topic}/${job?.messageId}`;
      if (job === undefined || sent.has(id)) continue;
      sent.add(id);
      const payload = { Content: job.content, JobId: job.messageId, Topic: job.topic, SchemaVersion: 1 };
      channel.send(encodeAgentMessage(newAgentMessage("agent_job", payload, lab.clock.now())));
    }
  };
  channel.on("message", (data: RawData, isBinary) => {
    if (!isBinary) return;
    try {
      receive(lab, channel, decodeAgentMessage(data as Buffer));
    } catch (error) {
      lab.logger.warn({ instanceId, error: String(error) }, "an agent sent what can't be read");
      channel.close(1007, "the message can't be read");
    }
  });
  const unlisten = store.listen(key, deliver);
  deliver();
  return unlisten;
}

interface JobMessage {
  readonly jobId?: string;
  readonly content?: string;
}

function receive(lab: Lab, channel: WebSocket, message: AgentMessage): void {
  const store = commandStoreOf(lab);
  const { jobId = "", content = "{}" } = payloadOf(message) as JobMessage;
  const invocation = invocationOfMessage(store, jobId);
  if (invocation === undefined) return;
  if (message.type === "agent_job_ack") acknowledge(lab, store, invocation);
  if (message.type !== "agent_job_reply") return;
  takeReply(lab, store, { invocation, payload: content });
  const answer = { jobId, acknowledgedMessageId: message.messageId };
  channel.send(encodeAgentMessage(newAgentMessage("agent_job_reply_ack", answer, lab.clock.now())));
}
