import type { Collection } from "../../state/collection.ts";
import type { Lab } from "../../lab.ts";

/** How long an account's event history goes back. */
export const historyMs = 90 * 24 * 3_600_000;

export interface EventResource {
  readonly type: string;
  readonly name: string;
}

/** One call in an account's event history: what it can be looked up by, and the record itself. */
export interface RecordedEvent {
  readonly eventId: string;
  readonly accountId: string;
  readonly region: string;
  readonly atMs: number;
  readonly name: string;
  /** `iam.amazonaws.com` */
  readonly source: string;
  readonly username: string;
  readonly accessKeyId: string;
  readonly resources: readonly EventResource[];
  /** The record as CloudTrail delivers it, JSON. */
  readonly record: string;
}

/** Oldest first. */
export function recordedEvents(lab: Lab): Collection<RecordedEvent> {
  return lab.state.collection("cloudtrail-events");
}
