import type {
  GetCommandInvocationCommandInput,
  ListCommandInvocationsCommandInput,
  ListCommandsCommandInput,
} from "@aws-sdk/client-ssm";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import {
  isEnded,
  type CommandRecord,
  type InvocationRecord,
  type InvocationStatus,
} from "./command-record.ts";
import { commandStoreOf, type CommandStore } from "./command-store.ts";
import { pageOf } from "./pages.ts";

const pluginName = "aws:runShellScript";
/** An invocation can't be read in the first moment after SendCommand, as on AWS. */
const unreadableMs = 100;

export function getCommandInvocation(input: GetCommandInvocationCommandInput, call: Call) {
  call.authorize({
    action: "ssm:GetCommandInvocation",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const store = commandStoreOf(call.lab);
  const command = store.commands.get(input.CommandId ?? "");
  const invocation = command && store.invocation(command.commandId, input.InstanceId ?? "");
  const readable =
    invocation !== undefined &&
    isOwn(invocation, call) &&
    call.lab.clock.now() - invocation.requestedMs >= unreadableMs;
  if (!readable || command === undefined) {
    throw new AwsError(
      "InvocationDoesNotExist",
      `An error occurred (InvocationDoesNotExist) when calling the GetCommandInvocation operation`,
    );
  }
  if (input.PluginName !== undefined && input.PluginName !== pluginName) {
    throw new AwsError("InvalidPluginName", `Plugin name ${input.PluginName} is not valid.`);
  }
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: "$DEFAULT",
    PluginName: pluginName,
    ResponseCode: invocation.responseCode,
    ExecutionStartDateTime: isoOrEmpty(invocation.startedMs),
    ExecutionElapsedTime: elapsed(invocation),
    ExecutionEndDateTime: isoOrEmpty(invocation.endedMs),
    Status: invocation.status,
    StatusDetails: invocation.statusDetails,
    StandardOutputContent: invocation.standardOutput.slice(0, 24_000),
    StandardOutputUrl: "",
    StandardErrorContent: invocation.standardError.slice(0, 8_000),
    StandardErrorUrl: "",
    CloudWatchOutputConfig: { CloudWatchLogGroupName: "", CloudWatchOutputEnabled: false },
  };
}

export function listCommands(input: ListCommandsCommandInput, call: Call) {
  call.authorize({ action: "ssm:ListCommands", resources: [{ arn: "*", accountId: call.accountId }] });
  const store = commandStoreOf(call.lab);
  const found = [...store.commands.values()]
    .filter((command) => isOwn(command, call))
    .filter(({ commandId }) => input.CommandId === undefined || commandId === input.CommandId)
    .filter(({ instanceIds }) => input.InstanceId === undefined || instanceIds.includes(input.InstanceId))
    .sort((left, right) => right.requestedMs - left.requestedMs);
  const { items, NextToken } = pageOf(found, input);
  return { Commands: items.map((command) => describeCommand(store, command)), NextToken };
}

export function listCommandInvocations(input: ListCommandInvocationsCommandInput, call: Call) {
  call.authorize({
    action: "ssm:ListCommandInvocations",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const store = commandStoreOf(call.lab);
  const found = [...store.commands.values()]
    .filter((command) => isOwn(command, call))
    .filter(({ commandId }) => input.CommandId === undefined || commandId === input.CommandId)
    .sort((left, right) => right.requestedMs - left.requestedMs)
    .flatMap((command) => store.invocationsOf(command).map((invocation) => ({ command, invocation })))
    .filter(({ invocation }) => input.InstanceId === undefined || invocation.instanceId === input.InstanceId)
    .filter(({ invocation }) => call.lab.clock.now() - invocation.requestedMs >= unreadableMs);
  const { items, NextToken } = pageOf(found, input);
  return {
    CommandInvocations: items.map(({ command, invocation }) => ({
      CommandId: command.commandId,
      InstanceId: invocation.instanceId,
      InstanceName: "",
      Comment: command.comment,
      DocumentName: command.documentName,
      DocumentVersion: "$DEFAULT",
      RequestedDateTime: new Date(command.requestedMs),
      Status: invocation.status,
      StatusDetails: invocation.statusDetails,
      CommandPlugins: input.Details ? [describePlugin(invocation)] : [],
    })),
    NextToken,
  };
}

function isOwn(
  { accountId, region }: { readonly accountId: string; readonly region: string },
  call: Call,
): boolean {
  return accountId === call.accountId && region === call.region;
}

function describePlugin(invocation: InvocationRecord) {
  return {
    Name: pluginName,
    Status: invocation.status,
    StatusDetails: invocation.statusDetails,
    ResponseCode: invocation.responseCode,
    ...(invocation.startedMs === undefined ? {} : { ResponseStartDateTime: new Date(invocation.startedMs) }),
    ...(invocation.endedMs === undefined ? {} : { ResponseFinishDateTime: new Date(invocation.endedMs) }),
    Output: invocation.standardOutput.slice(0, 2_500),
  };
}

export function describeCommand(store: CommandStore, command: CommandRecord) {
  const invocations = store.invocationsOf(command);
  const status = overallStatus(invocations);
  const count = (...statuses: readonly InvocationStatus[]) =>
    invocations.filter((invocation) => statuses.includes(invocation.status)).length;
  return {
    CommandId: command.commandId,
    DocumentName: command.documentName,
    DocumentVersion: "$DEFAULT",
    Comment: command.comment,
    ExpiresAfter: new Date(
      command.requestedMs + (command.timeoutSeconds + command.executionTimeoutSeconds) * 1000,
    ),
    Parameters: command.parameters,
    InstanceIds: command.instanceIds,
    Targets: command.targets.map(({ key, values }) => ({ Key: key, Values: values })),
    RequestedDateTime: new Date(command.requestedMs),
    Status: status,
    StatusDetails: status,
    OutputS3BucketName: command.outputBucket ?? "",
    OutputS3KeyPrefix: command.outputPrefix ?? "",
    MaxConcurrency: "50",
    MaxErrors: "0",
    TargetCount: invocations.length,
    CompletedCount: invocations.filter(isEnded).length,
    ErrorCount: count("Failed"),
    DeliveryTimedOutCount: count("TimedOut"),
    TimeoutSeconds: command.timeoutSeconds,
  };
}

function overallStatus(invocations: readonly InvocationRecord[]): string {
  const has = (status: InvocationStatus) => invocations.some((invocation) => invocation.status === status);
  if (invocations.length === 0) return "Success";
  if (invocations.every(({ status }) => status === "Pending")) return "Pending";
  if (!invocations.every(isEnded)) return "InProgress";
  return has("Failed") ? "Failed" : has("TimedOut") ? "TimedOut" : has("Cancelled") ? "Cancelled" : "Success";
}

function isoOrEmpty(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString();
}

function elapsed({ startedMs, endedMs }: InvocationRecord): string {
  if (startedMs === undefined || endedMs === undefined) return "";
  return `PT${Math.max(0, (endedMs - startedMs) / 1000)}S`;
}
