import type { DriftEvent } from "@garrison/api/schemas/role-drift";
import { findRoleEvents } from "@garrison/aws/find-role-events";
import type { TrailEvent } from "@garrison/roles/drift/trail-event";
import { listUntoldDrifts, tellDrift, type UntoldDrift } from "../store/role-drift.ts";
import type { ReadableRole } from "./chain-roles.ts";
import type { RunDependencies } from "./run-dependencies.ts";

export type TellingDependencies = Pick<RunDependencies, "access" | "queries" | "clock">;

interface Call {
  readonly signal: AbortSignal;
}

/** CloudTrail tells of a call within a quarter of an hour, mostly: what was not there then won't come any more. */
const worthAskingMs = 24 * 3_600_000;
const toldAtMost = 20;

/**
 * Looks up who made the changes that were found in a role and that nobody was named for yet: those found just now, and those
 * found before CloudTrail knew. Answers the events by the drift's id.
 */
export async function tellDrifts(
  dependencies: TellingDependencies,
  role: ReadableRole,
  call: Call,
): Promise<ReadonlyMap<string, readonly DriftEvent[]>> {
  const { clock, queries } = dependencies;
  const told = new Map<string, readonly DriftEvent[]>();
  const foundSince = new Date(clock.now() - worthAskingMs);
  for (const drift of await listUntoldDrifts(queries, { roleArn: role.roleArn, foundSince })) {
    const found = await lookUp(dependencies, { role, drift }, call);
    await tellDrift(queries, drift.id, { ...found, events: [...found.events] });
    told.set(drift.id, found.events);
  }
  return told;
}

interface Told {
  readonly events: readonly DriftEvent[];
  readonly eventsUnread?: string;
}

/** As the launching role first: a worker role may never ask CloudTrail. */
async function lookUp(
  { access, clock }: TellingDependencies,
  { drift, role }: { readonly role: ReadableRole; readonly drift: UntoldDrift },
  call: Call,
): Promise<Told> {
  const { changes, foundAt, since } = drift;
  const { roleArn } = role;
  const request = { roleArn, changes, sinceMs: since.getTime(), untilMs: foundAt.getTime() };
  let eventsUnread = "no role may ask CloudTrail";
  for (const reader of role.readers.toReversed()) {
    const cloudTrail = access.role(reader).cloudTrail();
    const answer = await findRoleEvents({ clock, cloudTrail }, request, call);
    if (answer.outcome !== "known") {
      eventsUnread = `CloudTrail could not be asked: ${answer.message}`;
      continue;
    }
    const { events, isCutOff } = answer.value;
    if (events.length > 0) return { events: events.slice(-toldAtMost).map(describe) };
    return { events: [], eventsUnread: isCutOff ? tooMany : notThere };
  }
  return { events: [], eventsUnread };
}

const notThere =
  "CloudTrail shows no call that fits: it may tell of one up to a quarter of an hour later, and keeps 90 days";
const tooMany = "CloudTrail has more events of this role than were read, and none of those read fits";

function describe({ atMs, from, name, who }: TrailEvent): DriftEvent {
  const at = new Date(atMs).toISOString();
  return { name, at, who, ...(from === undefined ? {} : { from }) };
}
