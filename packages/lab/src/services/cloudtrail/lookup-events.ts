import { createHash } from "node:crypto";
import type { LookupAttribute, LookupEventsCommandInput } from "@aws-sdk/client-cloudtrail";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { historyMs, recordedEvents, type RecordedEvent } from "./recorded-event.ts";

/** AWS's quota for an account in a Region, which nobody can have raised. */
const lookupsPerSecond = { perSecond: 2, burst: 2 };
const maxPage = 50;
const maxValueLength = 2000;

type Matches = (event: RecordedEvent, value: string) => boolean;

const matchers: Readonly<Record<string, Matches>> = {
  AccessKeyId: ({ accessKeyId }, value) => accessKeyId === value,
  EventId: ({ eventId }, value) => eventId === value,
  EventName: ({ name }, value) => name === value,
  EventSource: ({ source }, value) => source === value,
  ReadOnly: (_event, value) => value === "false",
  ResourceName: ({ resources }, value) => resources.some(({ name }) => name === value),
  ResourceType: ({ resources }, value) => resources.some(({ type }) => type === value),
  Username: ({ username }, value) => username === value,
};

/** What was recorded in the caller's account and this Region within 90 days, newest first. */
export function lookupEvents(input: LookupEventsCommandInput, call: Call): object {
  call.authorize({
    action: "cloudtrail:LookupEvents",
    resources: [{ arn: "*", accountId: call.accountId }],
  });
  const { lab } = call;
  const bucket = lab.ec2.bucket(`LookupEvents/${call.accountId}/${call.region}`, lookupsPerSecond);
  if (!bucket.tryTake()) throw new AwsError("ThrottlingException", "Rate exceeded");
  const { EventCategory, MaxResults = maxPage } = input;
  if (MaxResults < 1 || MaxResults > maxPage) {
    throw new AwsError("InvalidMaxResultsException", `MaxResults must be between 1 and ${maxPage}.`);
  }
  const start = startOf(input);
  // There are no Insights events in the lab.
  const found = EventCategory === "insight" ? [] : matching(input, call);
  const next = start + MaxResults;
  const token = next < found.length ? { NextToken: tokenOf(input, next) } : {};
  return { Events: found.slice(start, next).map(describe), ...token };
}

function matching(
  input: LookupEventsCommandInput,
  { accountId, lab, region }: Call,
): readonly RecordedEvent[] {
  const [from, until] = timesOf(input);
  const isMeant = attributeMatcher(input.LookupAttributes ?? []);
  const nowMs = lab.clock.now();
  const knownUntil = nowMs - lab.settings.trailDelayMs;
  return [...recordedEvents(lab).values()]
    .filter((event) => event.accountId === accountId && event.region === region)
    .filter(({ atMs }) => atMs >= nowMs - historyMs && atMs <= knownUntil)
    .filter(({ atMs }) => toldMs(atMs) >= from && toldMs(atMs) <= until)
    .filter(isMeant)
    .reverse();
}

/** Events are told, and looked up, to the second. */
function toldMs(atMs: number): number {
  return Math.floor(atMs / 1000) * 1000;
}

function timesOf({ EndTime, StartTime }: LookupEventsCommandInput): readonly [number, number] {
  const [from, until] = [StartTime?.getTime() ?? 0, EndTime?.getTime() ?? Infinity];
  if (from <= until) return [from, until];
  throw new AwsError("InvalidTimeRangeException", "The start time occurs after the end time.");
}

function attributeMatcher(attributes: readonly LookupAttribute[]): (event: RecordedEvent) => boolean {
  const [attribute, ...others] = attributes;
  if (attribute === undefined) return () => true;
  const { AttributeKey: key = "", AttributeValue: value = "" } = attribute;
  const matches = Object.hasOwn(matchers, key) ? matchers[key] : undefined;
  const isRight = others.length === 0 && value !== "" && value.length <= maxValueLength;
  if (matches === undefined || !isRight) {
    throw new AwsError("InvalidLookupAttributesException", "The lookup attributes are not valid.");
  }
  return (event) => matches(event, value);
}

/** A token goes with the parameters that it was given for. */
function tokenOf(input: LookupEventsCommandInput, start: number): string {
  return Buffer.from(`${start}.${digestOf(input)}`).toString("base64url");
}

function startOf(input: LookupEventsCommandInput): number {
  if (input.NextToken === undefined) return 0;
  const [start, digest] = Buffer.from(input.NextToken, "base64url").toString("latin1").split(".");
  if (/^\d+$/.test(start ?? "") && digest === digestOf(input)) return Number(start);
  throw new AwsError("InvalidNextTokenException", "The token is not valid for these parameters.");
}

function digestOf({ NextToken: _token, ...parameters }: LookupEventsCommandInput): string {
  return createHash("sha256").update(JSON.stringify(parameters)).digest("hex").slice(0, 16);
}

function describe(event: RecordedEvent): object {
  return {
    EventId: event.eventId,
    EventName: event.name,
    ReadOnly: "false",
    AccessKeyId: event.accessKeyId,
    EventTime: new Date(toldMs(event.atMs)),
    EventSource: event.source,
    Username: event.username,
    Resources: event.resources.map(({ name, type }) => ({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: event.record,
  };
}
