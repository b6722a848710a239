/** What EC2 knows of an instance when it starts: everything that the machine's own metadata service will tell. */
export interface MachineDescription {
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly availabilityZone?: string;
  readonly instanceType?: string;
  readonly privateIp: string;
  readonly imageId: string;
  /** The role inside the instance profile; a machine without one gets no credentials. */
  readonly roleArn?: string;
  readonly instanceProfileArn?: string;
  readonly instanceProfileId?: string;
  readonly userData?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether the metadata service tells tags (InstanceMetadataTags). */
  readonly metadataTags?: boolean;
}

/** A connection that the lab has accepted, by its two ports. */
export interface Connection {
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
}

export type PowerOffKind = "shutdown" | "reboot" | "lost";

/**
 * Runs instances for real. EC2 decides what boots and when; the host owns the processes.
 * All calls return at once; a machine that can't start says so in its console output and through `onPowerOff`.
 */
export interface MachineHost {
  /** Starts the machine. Booting one that runs is a no-op. */
  boot(machine: MachineDescription): void;
  /** Ends every process of the machine; a no-op for a machine that isn't running. Doesn't call `onPowerOff`. */
  terminate(instanceId: string): void;
  /** What the machine wrote to its console so far (the tail, at most 64 KiB), also after it has ended. */
  consoleOutput(instanceId: string): string;
  /** Whether its processes are alive. */
  isRunning(instanceId: string): boolean;
  /** The machine one of whose processes holds the client's end of this connection to the lab. */
  findCaller(connection: Connection): string | undefined;
  /** Makes `/latest/meta-data/spot/instance-action` answer, as two minutes before a Spot interruption. */
  announceSpotInterruption(instanceId: string, action: "terminate" | "stop" | "hibernate"): void;
  /** Set by EC2: called when a machine ended by itself (`shutdown`), or was found gone after a restart of the lab (`lost`). */
  onPowerOff: (instanceId: string, kind: PowerOffKind) => void;
  /** Set by EC2: the tags as they are now, for the metadata service. */
  currentTags: (instanceId: string) => Readonly<Record<string, string>>;
  /** Ends all machines; the host can't be used afterwards. */
  close(): Promise<void>;
}
