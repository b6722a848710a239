import type { RoleDrift } from "@garrison/api/schemas/role-drift";
import { statementChanges } from "@garrison/roles/repair/owner-patches";
import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";

/** What the appliance found changed in roles since their last good check, newest first. */
export async function listDrift(
  roleArn: string | undefined,
  flags: ConnectionFlags,
  context: CliContext,
): Promise<void> {
  const api = await connectAppliance(flags, context);
  const drifts = await listAll((cursor) => {
    const query = { limit: 100, ...(roleArn === undefined ? {} : { roleArn }) };
    const page = cursor === undefined ? query : { ...query, cursor };
    return api.call("listRoleDrift", { query: page }, context.signal);
  });
  printResult(context, { json: flags.json, value: { drifts }, text: () => formatDrifts(drifts) });
}

function formatDrifts(drifts: readonly RoleDrift[]): string {
  if (drifts.length === 0) return "No role was changed since its last good check.\n";
  return drifts.map(formatDrift).join("\n");
}

function formatDrift(drift: RoleDrift): string {
  const { changes, events, foundAt, isBroken, roleArn, since } = drift;
  const lines = changes.flatMap(({ after, before, part }) => [
    `  ${part}: ${before === undefined ? "new" : after === undefined ? "gone" : "changed"}`,
    ...documentLines(before, after),
  ]);
  const told = events.map(
    ({ at, from, name, who }) => `  ${at}  ${name} by ${who}${from === undefined ? "" : ` from ${from}`}`,
  );
  const untold = events.length > 0 ? [] : untoldLines(drift);
  return [
    `${roleArn}: ${isBroken ? "broken since" : "changed since"} the check of ${since}, found ${foundAt}`,
    ...lines,
    ...told,
    ...untold,
    "",
  ].join("\n");
}

/** Who and when, where nobody told: the account's own event history does. IAM's events are in one Region. */
function untoldLines({ eventsUnread, roleArn, since }: RoleDrift): readonly string[] {
  const name = roleArn.split("/").at(-1) ?? "";
  return [
    `  who and when: not known: ${eventsUnread ?? "CloudTrail shows no call that fits"}; with read rights on the account:`,
    `    aws cloudtrail lookup-events --region us-east-1 --start-time ${since} \\`,
    `      --lookup-attributes AttributeKey=ResourceName,AttributeValue=${name}`,
  ];
}

/** Statements where they are policies; otherwise the whole. */
function documentLines(before: object | undefined, after: object | undefined): readonly string[] {
  const isPolicy = [before, after].every((one) => one === undefined || "Statement" in one);
  const changes = isPolicy ? statementChanges(before, after) : [{ before, after }];
  return changes.flatMap((change) => [
    ...(change.before === undefined ? [] : [`    - ${JSON.stringify(change.before)}`]),
    ...(change.after === undefined ? [] : [`    + ${JSON.stringify(change.after)}`]),
  ]);
}
