import { randomUUID } from "node:crypto";
import { callService, type AgentContext } from "./agent-context.ts";
import type { CommandRunner } from "./command-runner.ts";
import { dispatchJob } from "./control-channel.ts";

interface PolledMessage {
  readonly MessageId: string;
  readonly Topic: string;
  readonly Payload: string;
}

const target = "EC2WindowsMessageDeliveryService";

/** One long poll of the older message service (ec2messages): takes what there is, acknowledges it and starts it. */
export async function pollMessages(context: AgentContext, runner: CommandRunner): Promise<void> {
  const call = (operation: string, input: object) =>
    callService(context, { service: "ec2messages", operation, target, input, timeoutMs: 40_000 });
  const input = {
    Destination: context.instanceId,
    MessagesRequestId: randomUUID(),
    VisibilityTimeoutInSeconds: 10,
  };
  const answer = (await call("GetMessages", input)) as { Messages?: readonly PolledMessage[] };
  for (const { MessageId, Topic, Payload } of answer.Messages ?? []) {
    await call("AcknowledgeMessage", { MessageId });
    const reply = async (content: object) => {
      await call("SendReply", { MessageId, ReplyId: randomUUID(), Payload: JSON.stringify(content) });
    };
    dispatchJob(runner, { topic: Topic, content: Payload, reply });
  }
}
