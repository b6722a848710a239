/** What the boot script tells the agent, by environment. */
export interface AgentConfig {
  readonly endpoint: string;
  readonly metadataEndpoint: string;
  readonly dataDir: string;
  /** How long the agent sleeps after its first ping was denied; the public agent's five minutes by default. */
  readonly hibernationMs: number;
  readonly heartbeatMs: number;
}

export function readAgentConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): AgentConfig {
  return {
    endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    metadataEndpoint: environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254",
    dataDir: environment["GARRISON_LAB_AGENT_DATA"] ?? "/var/lib/amazon/ssm",
    hibernationMs: Number(environment["GARRISON_LAB_AGENT_HIBERNATION_MS"] ?? 300_000),
    heartbeatMs: Number(environment["GARRISON_LAB_AGENT_HEARTBEAT_MS"] ?? 300_000),
  };
}
