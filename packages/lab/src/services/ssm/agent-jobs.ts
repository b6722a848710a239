import type { Lab } from "../../lab.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { shellScriptDocument } from "./command-documents.ts";
import { invocationKey, isEnded, type InvocationRecord, type InvocationStatus } from "./command-record.ts";
import type { CommandStore } from "./command-store.ts";

export const sendTopic = "aws.ssm.sendCommand";
export const cancelTopic = "aws.ssm.cancelCommand";

/** What an agent is given to do, the same on both of its channels. */
export interface AgentJob {
  readonly invocation: InvocationRecord;
  readonly topic: typeof sendTopic | typeof cancelTopic;
  /** `aws.ssm.<command>.<instance>`, as agents take commands' ids from it. */
  readonly messageId: string;
  readonly content: string;
}

export function agentJob(store: CommandStore, invocation: InvocationRecord): AgentJob | undefined {
  const command = store.commands.get(invocation.commandId);
  if (command === undefined) return undefined;
  const messageId = `aws.ssm.${invocation.commandId}.${invocation.instanceId}`;
  if (invocation.status === "Cancelling") {
    return {
      invocation,
      topic: cancelTopic,
      messageId,
      content: JSON.stringify({ CancelMessageId: messageId }),
    };
  }
  const content = JSON.stringify({
    Parameters: command.parameters,
    DocumentContent: shellScriptDocument,
    CommandId: command.commandId,
    DocumentName: command.documentName,
    OutputS3KeyPrefix: command.outputPrefix ?? "",
    OutputS3BucketName: command.outputBucket ?? "",
    CloudWatchLogGroupName: "",
    CloudWatchOutputEnabled: "false",
  });
  return { invocation, topic: sendTopic, messageId, content };
}

/** The invocation behind an agent's message id or job id. */
export function invocationOfMessage(
  store: CommandStore,
  messageId: string,
  instanceId?: string,
): InvocationRecord | undefined {
  const parts = messageId.split(".");
  const [command = "", instance = ""] =
    parts.length >= 4 ? [parts.at(-2), parts.at(-1)] : [messageId, instanceId];
  return store.invocations.get(invocationKey(command, instance));
}

/** The agent has the command: it is in progress. */
export function acknowledge(lab: Lab, store: CommandStore, invocation: InvocationRecord): void {
  if (invocation.status !== "Pending") return;
  store.put({ ...invocation, status: "InProgress", statusDetails: "InProgress", startedMs: lab.clock.now() });
}

interface ReplyDocument {
  readonly documentStatus?: string;
  readonly runtimeStatus?: Readonly<Record<string, PluginStatus>>;
}

interface PluginStatus {
  readonly status?: string;
  readonly code?: number;
  readonly startDateTime?: string;
  readonly endDateTime?: string;
  readonly output?: string;
  readonly standardOutput?: string;
  readonly standardError?: string;
}

const endings: Readonly<Record<string, readonly [InvocationStatus, string]>> = {
  Success: ["Success", "Success"],
  Failed: ["Failed", "Failed"],
  TimedOut: ["TimedOut", "ExecutionTimedOut"],
  Cancelled: ["Cancelled", "Cancelled"],
};

/** The result of a command as the agent's reply tells it. What has ended stays as it ended. */
export function takeReply(
  lab: Lab,
  store: CommandStore,
  { invocation, payload }: { invocation: InvocationRecord; payload: string },
): void {
  const document = JSON.parse(payload) as ReplyDocument;
  if (isEnded(invocation)) return;
  const ending = endings[document.documentStatus ?? ""];
  if (ending === undefined) return acknowledge(lab, store, invocation);
  const plugin = Object.values(document.runtimeStatus ?? {})[0] ?? {};
  store.put({
    ...invocation,
    status: ending[0],
    statusDetails: ending[1],
    responseCode: plugin.code ?? -1,
    startedMs: dateMs(plugin.startDateTime) ?? invocation.startedMs,
    endedMs: dateMs(plugin.endDateTime) ?? lab.clock.now(),
    standardOutput: (plugin.standardOutput ?? plugin.output ?? "").slice(0, 24_000),
    standardError: (plugin.standardError ?? "").slice(0, 8_000),
  });
}

function dateMs(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

/** The instance a call by an agent is about, and the key of its queue. */
export function agentKey(call: Call, instanceId: string): string {
  return `${call.accountId}/${call.region}/${instanceId}`;
}
