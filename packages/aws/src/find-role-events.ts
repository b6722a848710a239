import { type CloudTrailClient, type Event, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import type { Clock } from "@garrison/core/clock";
import type { DriftChange } from "@garrison/roles/drift/compare-roles";
import { fittingEvents, namesToLookUp } from "@garrison/roles/drift/fitting-events";
import type { TrailEvent } from "@garrison/roles/drift/trail-event";
import type { Answer, Call } from "@garrison/roles/prober";
import { askAws } from "./ask-aws.ts";

export interface RoleEventsRequest {
  readonly roleArn: string;
  readonly changes: readonly DriftChange[];
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface RoleEvents {
  readonly events: readonly TrailEvent[];
  /** There were more events than are worth reading: one that fits may have been missed. */
  readonly isCutOff: boolean;
}

/** Two lookups a second are an account's whole quota in a Region: others' tools get half of it. */
const pauseMs = 1000;
/** Five hundred events about one role, and ten seconds. */
const maxPages = 10;

/** The calls that can have made the changes, from the event history of the role's account. */
export async function findRoleEvents(
  { clock, cloudTrail }: { readonly clock: Clock; readonly cloudTrail: CloudTrailClient },
  request: RoleEventsRequest,
  call: Call,
): Promise<Answer<RoleEvents>> {
  const { changes, roleArn, sinceMs, untilMs } = request;
  return await askAws(call, `looking up who changed ${roleArn}`, async () => {
    const found: TrailEvent[] = [];
    let pages = 0;
    for (const name of namesToLookUp(roleArn, changes)) {
      let NextToken: string | undefined;
      do {
        if (pages++ > 0) await clock.sleep(pauseMs, call.signal);
        const page = await cloudTrail.send(
          new LookupEventsCommand({
            LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: name }],
            // Events are told to the second.
            StartTime: new Date(Math.floor(sinceMs / 1000) * 1000),
            EndTime: new Date(untilMs),
            NextToken,
          }),
          { abortSignal: call.signal },
        );
        found.push(...(page.Events ?? []).flatMap((event) => readEvent(event) ?? []));
        ({ NextToken } = page);
      } while (NextToken !== undefined && pages < maxPages);
      if (NextToken !== undefined) return { events: fittingEvents(roleArn, changes, found), isCutOff: true };
    }
    return { events: fittingEvents(roleArn, changes, found), isCutOff: false };
  });
}

interface EventRecord {
  readonly userIdentity?: {
    readonly arn?: string;
    readonly principalId?: string;
    readonly invokedBy?: string;
  };
  readonly sourceIPAddress?: string;
  readonly errorCode?: string;
  readonly requestParameters?: {
    readonly roleName?: string;
    readonly policyArn?: string;
    readonly policyName?: string;
  } | null;
}

/** Calls of IAM that changed something, and no others. */
function readEvent({
  CloudTrailEvent,
  EventId,
  EventName,
  EventSource,
  EventTime,
  ReadOnly,
  Username,
}: Event) {
  if (EventSource !== "iam.amazonaws.com" || ReadOnly === "true") return undefined;
  if (EventId === undefined || EventName === undefined || EventTime === undefined) return undefined;
  const { errorCode, requestParameters, sourceIPAddress, userIdentity } = parseRecord(CloudTrailEvent);
  const { policyArn, policyName, roleName } = requestParameters ?? {};
  const who = userIdentity?.arn ?? userIdentity?.invokedBy ?? Username ?? userIdentity?.principalId;
  const event: TrailEvent = {
    id: EventId,
    name: EventName,
    atMs: EventTime.getTime(),
    who: who ?? "somebody whom CloudTrail doesn't name",
    ...(sourceIPAddress === undefined ? {} : { from: sourceIPAddress }),
    hasFailed: errorCode !== undefined,
    ...(roleName === undefined ? {} : { roleName }),
    ...(policyArn === undefined ? {} : { policyArn }),
    ...(policyName === undefined ? {} : { policyName }),
  };
  return event;
}

function parseRecord(text: string | undefined): EventRecord {
  try {
    return JSON.parse(text ?? "{}") as EventRecord;
  } catch {
    return {};
  }
}
