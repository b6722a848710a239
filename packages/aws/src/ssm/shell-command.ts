import { GetCommandInvocationCommand, SendCommandCommand } from "@aws-sdk/client-ssm";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { AwsClients } from "../aws-clients.ts";
import { namedCall, type AwsCall } from "../ec2/named-call.ts";

export interface ShellCommand {
  readonly instanceId: string;
  /** Kept in AWS's history for 30 days: nothing secret. */
  readonly script: string;
  readonly comment: string;
  /** The agent has to take it by then, and to finish it in as long again. */
  readonly timeoutSeconds: number;
}

export async function sendShellCommand(
  clients: AwsClients,
  command: ShellCommand,
  call: AwsCall,
): Promise<{ readonly commandId: string }> {
  const sending = new SendCommandCommand({
    DocumentName: "AWS-RunShellScript",
    InstanceIds: [command.instanceId],
    Comment: command.comment.slice(0, 100),
    TimeoutSeconds: command.timeoutSeconds,
    Parameters: { commands: [command.script], executionTimeout: [String(command.timeoutSeconds)] },
  });
  const answer = await namedCall(
    `sending a command to ${command.instanceId}`,
    clients.ssm().send(sending, { abortSignal: call.signal }),
  );
  return { commandId: answer.Command?.CommandId ?? "" };
}

export interface CommandResult {
  readonly status: "running" | "succeeded" | "failed";
  /** AWS's own word for it. */
  readonly detail: string;
  /** The first 24,000 characters. */
  readonly output: string;
  readonly errorOutput: string;
}

const failures = ["Cancelled", "TimedOut", "Failed", "Cancelling", "Undeliverable", "Terminated"];

/** What has become of a command; one that AWS does not know yet is running. */
export async function readCommandResult(
  clients: AwsClients,
  command: { readonly commandId: string; readonly instanceId: string },
  call: AwsCall,
): Promise<CommandResult> {
  const reading = new GetCommandInvocationCommand({
    CommandId: command.commandId,
    InstanceId: command.instanceId,
  });
  try {
    const answer = await namedCall(
      `reading the result of the command on ${command.instanceId}`,
      clients.ssm().send(reading, { abortSignal: call.signal }),
    );
    const detail = answer.Status ?? "Pending";
    const status = detail === "Success" ? "succeeded" : failures.includes(detail) ? "failed" : "running";
    return {
      status,
      detail: answer.StatusDetails ?? detail,
      output: answer.StandardOutputContent ?? "",
      errorOutput: answer.StandardErrorContent ?? "",
    };
  } catch (error) {
    // Eventually consistent: right after SendCommand the invocation is not there.
    if (!isGarrisonError(error, "aws-not-found")) throw error;
    return { status: "running", detail: "Pending", output: "", errorOutput: "" };
  }
}
