/** A managed instance as its agent last told. */
export interface ManagedInstance {
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly registeredMs: number;
  readonly lastPingMs: number;
  readonly agentVersion: string;
  readonly platformType: string;
  readonly platformName: string;
  readonly platformVersion: string;
  readonly ipAddress: string;
  readonly computerName: string;
}

/** A Run Command. Its parameters stay readable for whoever may list commands. */
export interface CommandRecord {
  readonly commandId: string;
  readonly accountId: string;
  readonly region: string;
  readonly documentName: string;
  readonly comment: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly instanceIds: readonly string[];
  readonly targets: readonly { readonly key: string; readonly values: readonly string[] }[];
  readonly requestedMs: number;
  readonly timeoutSeconds: number;
  readonly executionTimeoutSeconds: number;
  readonly outputBucket?: string | undefined;
  readonly outputPrefix?: string | undefined;
}

export type InvocationStatus =
  | "Pending"
  | "InProgress"
  | "Success"
  | "Cancelled"
  | "TimedOut"
  | "Failed"
  | "Cancelling";

export interface InvocationRecord {
  readonly commandId: string;
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly requestedMs: number;
  readonly status: InvocationStatus;
  readonly statusDetails: string;
  readonly responseCode: number;
  readonly startedMs?: number | undefined;
  readonly endedMs?: number | undefined;
  readonly standardOutput: string;
  readonly standardError: string;
  readonly cancelRequested?: boolean | undefined;
}

export function instanceKey({
  accountId,
  region,
  instanceId,
}: Pick<ManagedInstance, "accountId" | "region" | "instanceId">): string {
  return `${accountId}/${region}/${instanceId}`;
}

export function invocationKey(commandId: string, instanceId: string): string {
  return `${commandId}/${instanceId}`;
}

export function isEnded({ status }: InvocationRecord): boolean {
  return status !== "Pending" && status !== "InProgress" && status !== "Cancelling";
}
