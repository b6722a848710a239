import { randomUUID } from "node:crypto";
import type { CallerPrincipal } from "../../identity/caller-principal.ts";
import type { Lab } from "../../lab.ts";
import type { AwsError } from "../../wire/aws-error.ts";
import { globalRegion } from "../../wire/global-region.ts";
import type { Progress } from "../../wire/progress.ts";
import { eventResources } from "./event-resources.ts";
import { historyMs, recordedEvents } from "./recorded-event.ts";

const reads = /^(?:Get|List|Simulate)/;

/** Keeps a call that changes IAM, or that tried to, in its account's event history; other calls are not recorded. */
export function recordEvent(lab: Lab, progress: Progress, failure: AwsError | undefined): void {
  const { caller, incoming, operation } = progress;
  if (incoming.service !== "iam" || operation === undefined || reads.test(operation)) return;
  if (caller === undefined || caller.accountId === "") return;
  const { input = {}, output } = progress;
  const eventId = randomUUID();
  const atMs = lab.clock.now();
  const events = recordedEvents(lab);
  for (const [key, event] of events.entries()) {
    if (event.atMs >= atMs - historyMs) break;
    events.delete(key);
  }
  events.put(eventId, {
    eventId,
    accountId: caller.accountId,
    region: globalRegion,
    atMs,
    name: operation,
    source: "iam.amazonaws.com",
    username: caller.sessionName ?? caller.userName ?? "root",
    accessKeyId: caller.accessKeyId,
    resources: eventResources(input, failure === undefined ? output : undefined),
    record: JSON.stringify({ ...recordOf(progress, { caller, failure, atMs }), eventID: eventId }),
  });
}

interface Recorded {
  readonly caller: CallerPrincipal;
  readonly failure: AwsError | undefined;
  readonly atMs: number;
}

function recordOf(progress: Progress, { atMs, caller, failure }: Recorded): object {
  const { incoming, input = {}, operation, output, requestId, sourceIp = "" } = progress;
  const answered = output === undefined || Object.keys(output).length === 0 ? null : written(output);
  return {
    eventVersion: "1.11",
    userIdentity: identityOf(caller),
    eventTime: seconds(atMs),
    eventSource: "iam.amazonaws.com",
    eventName: operation,
    awsRegion: globalRegion,
    sourceIPAddress: sourceIp,
    userAgent: incoming.message.headers["user-agent"] ?? "",
    ...(failure === undefined ? {} : { errorCode: failure.code, errorMessage: failure.message }),
    requestParameters: failure?.code === "AccessDenied" ? null : written(input),
    responseElements: failure === undefined ? answered : null,
    requestID: requestId,
    readOnly: false,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: caller.accountId,
    eventCategory: "Management",
  };
}

function identityOf(caller: CallerPrincipal): object {
  const { accessKeyId, accountId, arn, session, userId, userName } = caller;
  const common = { principalId: userId, arn, accountId, accessKeyId };
  if (caller.type === "root") return { type: "Root", ...common };
  if (caller.type === "user") return { type: "IAMUser", ...common, userName };
  const [principalId] = userId.split(":");
  const sessionIssuer = {
    type: "Role",
    principalId,
    arn: caller.roleArn,
    accountId,
    userName: caller.roleName,
  };
  const attributes = {
    creationDate: seconds(session?.issuedAtMs ?? 0),
    mfaAuthenticated: String(session?.mfa ?? false),
  };
  return { type: "AssumedRole", ...common, sessionContext: { sessionIssuer, attributes } };
}

/** Events are told to the second. */
function seconds(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Members as CloudTrail writes them: with a small first letter, and without secrets. */
function written(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== "SecretAccessKey");
  return Object.fromEntries(
    members.map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), written(member)]),
  );
}
