import { AwsError } from "../../wire/aws-error.ts";
import { isFifo, type QueueRecord } from "./queue-record.ts";

const numbers: Readonly<
  Record<string, { readonly min: number; readonly max: number; readonly default: number }>
> = {
  DelaySeconds: { min: 0, max: 900, default: 0 },
  MaximumMessageSize: { min: 1024, max: 1_048_576, default: 1_048_576 },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, default: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, default: 0 },
  VisibilityTimeout: { min: 0, max: 43_200, default: 30 },
  KmsDataKeyReusePeriodSeconds: { min: 60, max: 86_400, default: 300 },
};

const booleans = new Set(["FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled"]);
const texts = new Set([
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "DeduplicationScope",
  "FifoThroughputLimit",
]);
const fifoOnly = new Set([
  "FifoQueue",
  "ContentBasedDeduplication",
  "DeduplicationScope",
  "FifoThroughputLimit",
]);

/** Attributes as a request gives them, checked. */
export function checkAttributes(name: string, attributes: Readonly<Record<string, string>>): void {
  for (const [attribute, value] of Object.entries(attributes)) {
    checkAttribute(attribute, value);
    if (fifoOnly.has(attribute) && !isFifo({ name })) throw unknownAttribute(attribute);
  }
  if (isFifo({ name }) && attributes["FifoQueue"] === "false") throw invalidValue("FifoQueue");
}

function checkAttribute(attribute: string, value: string): void {
  const range = numbers[attribute];
  if (range !== undefined) {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < range.min || number > range.max) throw invalidValue(attribute);
  } else if (booleans.has(attribute)) {
    if (value !== "true" && value !== "false") throw invalidValue(attribute);
  } else if (attribute === "Policy" || attribute === "RedrivePolicy" || attribute === "RedriveAllowPolicy") {
    if (value !== "" && !isJsonObject(value)) throw invalidValue(attribute);
  } else if (!texts.has(attribute)) throw unknownAttribute(attribute);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

export function numberAttribute(queue: QueueRecord, name: string): number {
  return Number(queue.attributes[name] ?? numbers[name]?.default ?? 0);
}

/** Settings with their defaults, as GetQueueAttributes tells them; counters come from the messages. */
export function settingsOf(queue: QueueRecord): Record<string, string> {
  const { KmsDataKeyReusePeriodSeconds: _only, ...defaults } = Object.fromEntries(
    Object.entries(numbers).map(([name, range]) => [name, String(range.default)]),
  );
  const fifo: Record<string, string> = isFifo(queue)
    ? {
        FifoQueue: "true",
        ContentBasedDeduplication: "false",
        DeduplicationScope: "queue",
        FifoThroughputLimit: "perQueue",
      }
    : {};
  const managed: Record<string, string> = queue.attributes["KmsMasterKeyId"]
    ? {}
    : { SqsManagedSseEnabled: "true" };
  return { ...defaults, ...fifo, ...managed, ...withoutEmpty(queue.attributes) };
}

/** Setting an attribute to the empty text takes it away. */
export function withoutEmpty(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

export function redrivePolicyOf(queue: QueueRecord): RedrivePolicy | undefined {
  const text = queue.attributes["RedrivePolicy"];
  if (!text) return undefined;
  const policy = JSON.parse(text) as { deadLetterTargetArn?: string; maxReceiveCount?: number | string };
  return {
    deadLetterTargetArn: policy.deadLetterTargetArn ?? "",
    maxReceiveCount: Number(policy.maxReceiveCount ?? 10),
  };
}

export function policyOf(queue: QueueRecord): object | undefined {
  const text = queue.attributes["Policy"];
  return text ? (JSON.parse(text) as object) : undefined;
}

function unknownAttribute(attribute: string): AwsError {
  return new AwsError("InvalidAttributeName", `Unknown Attribute ${attribute}.`);
}

function invalidValue(attribute: string): AwsError {
  return new AwsError("InvalidAttributeValue", `Invalid value for the parameter ${attribute}.`);
}
