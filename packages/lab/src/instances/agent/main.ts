/**
 * The lab's stand-in for the Systems Manager agent: a process of its own inside the machine, which knows nothing but its
 * metadata service and an endpoint. It does what the public agent does for Run Command: registers by
 * UpdateInstanceInformation (hibernating when its first ping is denied), keeps a control channel open, polls the older
 * message service where the channel is denied, and runs documents for real.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { hostname } from "node:os";
import { systemClock } from "@garrison/core/clock";
import { AgentCallError, callService, type AgentContext } from "./agent-context.ts";
import { openCommandRunner, type CommandRunner } from "./command-runner.ts";
import { readAgentConfig, type AgentConfig } from "./config.ts";
import { runControlChannel } from "./control-channel.ts";
import { openMetadataClient } from "./metadata-client.ts";
import { pollMessages } from "./poll-messages.ts";

async function runAgent(config: AgentConfig): Promise<never> {
  const now = () => systemClock.now();
  const metadata = openMetadataClient(config.metadataEndpoint, now);
  const context: AgentContext = {
    instanceId: await metadata.read("/latest/meta-data/instance-id"),
    region: await metadata.read("/latest/meta-data/placement/region"),
    endpoint: config.endpoint,
    metadata,
    dataDir: config.dataDir,
    log: (message) =>
      void process.stdout.write(`${new Date(now()).toISOString()} amazon-ssm-agent: ${message}\n`),
    now,
    sleep: (durationMs) => sleep(durationMs),
  };
  await register(context, config);
  await listAssociations(context);
  const runner = openCommandRunner(context);
  void keepPinging(context, config);
  for (;;) await takeCommands(context, runner);
}

/** The first ping. Where it is denied the agent hibernates: five minutes at first, then twice as long up to an hour. */
async function register(context: AgentContext, { hibernationMs }: AgentConfig): Promise<void> {
  for (let delayMs = hibernationMs; ; delayMs = Math.min(delayMs * 2, hibernationMs * 12)) {
    try {
      await ping(context);
      return context.log(`registered ${context.instanceId}`);
    } catch (error) {
      const denied = error instanceof AgentCallError && error.isDenied;
      context.log(
        denied
          ? `health ping denied, hibernating for ${delayMs} ms: ${error.message}`
          : `health ping failed: ${String(error)}`,
      );
      await context.sleep(denied ? delayMs : Math.min(1_000, delayMs));
    }
  }
}

/** The State Manager's poll. The lab has no associations; the public agent only logs a denial, and so does this one. */
async function listAssociations(context: AgentContext): Promise<void> {
  const input = { InstanceId: context.instanceId, MaxResults: 20 };
  await callService(context, {
    service: "ssm",
    target: "AmazonSSM",
    operation: "ListInstanceAssociations",
    input,
  }).catch((error: unknown) => context.log(`associations not listed: ${String(error)}`));
}

async function keepPinging(context: AgentContext, { heartbeatMs }: AgentConfig): Promise<void> {
  for (;;) {
    await context.sleep(heartbeatMs);
    await ping(context).catch((error: unknown) => context.log(`health ping failed: ${String(error)}`));
  }
}

async function ping(context: AgentContext): Promise<void> {
  await callService(context, {
    service: "ssm",
    target: "AmazonSSM",
    operation: "UpdateInstanceInformation",
    input: {
      InstanceId: context.instanceId,
      AgentName: "amazon-ssm-agent",
      AgentVersion: "3.3.2299.0",
      AgentStatus: "Active",
      PlatformType: "Linux",
      PlatformName: "Amazon Linux",
      PlatformVersion: "2023",
      IPAddress: await context.metadata.read("/latest/meta-data/local-ipv4"),
      ComputerName: hostname(),
    },
  });
}

/** One stretch on whichever channel can be had; returns when it is to be tried anew. */
async function takeCommands(context: AgentContext, runner: CommandRunner): Promise<void> {
  try {
    await runControlChannel(context, runner, () => context.log("control channel open"));
    context.log("control channel closed");
    await context.sleep(500);
  } catch (error) {
    context.log(`no control channel, polling ec2messages instead: ${String(error)}`);
    await pollMessages(context, runner).catch(async (pollError: unknown) => {
      context.log(`no messages: ${String(pollError)}`);
      await context.sleep(5_000);
    });
  }
}

await runAgent(readAgentConfig());
