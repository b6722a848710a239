import type { AgentContext } from "./agent-context.ts";
import { runDocument, type CommandPayload, type DocumentResult } from "./run-document.ts";

/** Sends a reply for a command; the two channels do it differently. */
export type SendReply = (content: object) => Promise<void>;

export interface CommandRunner {
  /** Starts a command, or queues it behind five others. A command that was seen before isn't run again. */
  start(payload: CommandPayload, reply: SendReply): void;
  cancel(commandId: string): void;
}

const workers = 5;

export function openCommandRunner(context: AgentContext): CommandRunner {
  const seen = new Map<string, AbortController>();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  async function work(): Promise<void> {
    if (running >= workers) return;
    running++;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
    running--;
  }

  async function run(payload: CommandPayload, reply: SendReply): Promise<void> {
    context.log(`running command ${payload.CommandId} (${payload.DocumentName})`);
    const cancelled = seen.get(payload.CommandId)!.signal;
    try {
      const result = await runDocument({ payload, dataDir: context.dataDir, cancelled, now: context.now });
      context.log(`command ${payload.CommandId} ended: ${result.status}, exit code ${result.code}`);
      await repeat(context, () => reply(replyOf(result)));
    } catch (error) {
      context.log(`command ${payload.CommandId} failed: ${String(error)}`);
    }
  }

  return {
    start(payload, reply) {
      if (seen.has(payload.CommandId)) return;
      seen.set(payload.CommandId, new AbortController());
      waiting.push(() => run(payload, reply));
      void work();
    },
    cancel(commandId) {
      seen.get(commandId)?.abort();
    },
  };
}

/** A reply that can't be sent now is kept and tried again, until the machine ends. */
async function repeat(context: AgentContext, send: () => Promise<void>): Promise<void> {
  for (let delayMs = 500; ; delayMs = Math.min(delayMs * 2, 30_000)) {
    try {
      return await send();
    } catch (error) {
      context.log(`reply not sent, trying again: ${String(error)}`);
      await context.sleep(delayMs);
    }
  }
}

const agentInfo = { lang: "en-US", name: "amazon-ssm-agent", os: "linux", osver: "1", ver: "3.3.2299.0" };

/** The reply document of a finished command, as the public agent formats it. */
function replyOf(result: DocumentResult): object {
  return {
    additionalInfo: {
      agent: agentInfo,
      dateTime: new Date(result.endedMs).toISOString(),
      runId: "",
      runtimeStatusCounts: { [result.status]: 1 },
    },
    documentStatus: result.status,
    documentTraceOutput: "",
    runtimeStatus: {
      [result.step]: {
        status: result.status,
        code: result.code,
        name: result.plugin,
        output: result.standardOutput,
        startDateTime: new Date(result.startedMs).toISOString(),
        endDateTime: new Date(result.endedMs).toISOString(),
        outputS3BucketName: "",
        outputS3KeyPrefix: "",
        stepName: result.step,
        standardOutput: result.standardOutput,
        standardError: result.standardError,
      },
    },
  };
}
