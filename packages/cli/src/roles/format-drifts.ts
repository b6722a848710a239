import type { RoleDrift } from "@garrison/api/schemas/role-drift";
import { partitionValues } from "@garrison/roles/partition-values";
import { statementChanges } from "@garrison/roles/repair/owner-patches";
import { parseRoleArn } from "@garrison/roles/role-arn";

/** Each change with its statements, and who made it; where nobody told, the command that asks. */
export function formatDrifts(drifts: readonly RoleDrift[]): string {
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

/** Who and when, where nobody told: the account's own event history does. IAM's events are in one Region of a partition. */
function untoldLines({ eventsUnread, roleArn, since }: RoleDrift): readonly string[] {
  const { partition, roleName } = parseRoleArn(roleArn);
  const { iamRegion } = partitionValues(partition);
  return [
    `  who and when: not known: ${eventsUnread ?? "CloudTrail was not asked yet"}; with read rights on the account:`,
    `    aws cloudtrail lookup-events --region ${iamRegion} --start-time ${since} \\`,
    `      --lookup-attributes AttributeKey=ResourceName,AttributeValue=${roleName}`,
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
