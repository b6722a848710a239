import { createHash } from "node:crypto";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call, LabService } from "../../wire/operation-handler.ts";
import {
  acknowledge,
  agentJob,
  agentKey,
  invocationOfMessage,
  takeReply,
  type AgentJob,
} from "./agent-jobs.ts";
import type { InvocationRecord } from "./command-record.ts";
import { commandStoreOf } from "./command-store.ts";
import { checkSpeaker } from "./managed-instances.ts";

/** The older message service, which agents poll where they have no control channel. */
export const ec2MessagesService: LabService = {
  signingName: "ec2messages",
  deniedCode: "AccessDeniedException",
  load: async () => ({ plainJson: [] }),
  operations: {
    GetEndpoint: getEndpoint,
    GetMessages: getMessages,
    AcknowledgeMessage: acknowledgeMessage,
    SendReply: sendReply,
    FailMessage: failMessage,
    DeleteMessage: deleteMessage,
  },
};

interface DestinationInput {
  readonly Destination?: string;
  readonly Protocol?: string;
  readonly MessagesRequestId?: string;
}

interface MessageInput {
  readonly MessageId?: string;
  readonly Payload?: string;
}

/** Shorter than the 20 seconds after which agents give up on a poll. */
const longestPollMs = 15_000;

function authorize(call: Call, operation: string): void {
  call.authorize({
    action: `ec2messages:${operation}`,
    resources: [{ arn: "*", accountId: call.accountId }],
  });
}

function getEndpoint({ Protocol = "messages" }: DestinationInput, call: Call) {
  authorize(call, "GetEndpoint");
  return { Endpoint: { Protocol, Endpoint: call.lab.endpoint() } };
}

async function getMessages({ Destination = "", MessagesRequestId = "" }: DestinationInput, call: Call) {
  authorize(call, "GetMessages");
  checkSpeaker(call, Destination);
  const store = commandStoreOf(call.lab);
  const key = agentKey(call, Destination);
  if (store.pendingFor(key).length === 0) await nextChange(call, key);
  const jobs = store.pendingFor(key).flatMap((invocation) => agentJob(store, invocation) ?? []);
  return { Destination, MessagesRequestId, Messages: jobs.map((job) => describeMessage(job, Destination)) };
}

async function nextChange(call: Call, key: string): Promise<void> {
  const woken = new AbortController();
  const unlisten = commandStoreOf(call.lab).listen(key, () => woken.abort());
  const signal = AbortSignal.any([call.signal, call.lab.stopping, woken.signal]);
  try {
    await call.lab.clock.sleep(longestPollMs, signal);
  } catch (error) {
    if (!woken.signal.aborted) throw error;
  } finally {
    unlisten();
  }
}

function describeMessage({ invocation, messageId, topic, content }: AgentJob, destination: string) {
  return {
    CreatedDate: new Date(invocation.requestedMs).toISOString(),
    Destination: destination,
    MessageId: messageId,
    Payload: content,
    PayloadDigest: createHash("sha256").update(content).digest("hex"),
    Topic: topic,
  };
}

function acknowledgeMessage(input: MessageInput, call: Call) {
  authorize(call, "AcknowledgeMessage");
  acknowledge(call.lab, commandStoreOf(call.lab), ownInvocation(input, call));
  return {};
}

function sendReply(input: MessageInput, call: Call) {
  authorize(call, "SendReply");
  takeReply(call.lab, commandStoreOf(call.lab), {
    invocation: ownInvocation(input, call),
    payload: input.Payload ?? "{}",
  });
  return {};
}

function failMessage(input: MessageInput, call: Call) {
  authorize(call, "FailMessage");
  const payload = JSON.stringify({ documentStatus: "Failed" });
  takeReply(call.lab, commandStoreOf(call.lab), { invocation: ownInvocation(input, call), payload });
  return {};
}

function deleteMessage(input: MessageInput, call: Call) {
  authorize(call, "DeleteMessage");
  ownInvocation(input, call);
  return {};
}

function ownInvocation({ MessageId = "" }: MessageInput, call: Call): InvocationRecord {
  const invocation = invocationOfMessage(commandStoreOf(call.lab), MessageId);
  if (invocation === undefined)
    throw new AwsError("ResourceNotFoundException", `There is no message ${MessageId}.`);
  checkSpeaker(call, invocation.instanceId);
  return invocation;
}
