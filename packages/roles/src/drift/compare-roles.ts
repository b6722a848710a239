import { isDeepStrictEqual } from "node:util";
import type { ObservedRole } from "./observed-role.ts";

/** One part of a role that is no longer as it was; without `before` it is new, without `after` it is gone. */
export interface DriftChange {
  readonly part: string;
  readonly before?: object;
  readonly after?: object;
}

/** What differs between two looks at a role, of the parts that both could read. */
export function compareRoles(before: ObservedRole, after: ObservedRole): readonly DriftChange[] {
  return [
    ...documentChange("trust policy", before.trust, after.trust),
    ...namedChanges("inline policy", before.inlinePolicies, after.inlinePolicies),
    ...namedChanges("attached policy", byArn(before), byArn(after)),
    ...boundaryChange(before, after),
    ...profileChange(before, after),
  ];
}

/** What was read before and can't be read now stays known as it was last seen. */
export function mergeObserved(before: ObservedRole | undefined, now: ObservedRole): ObservedRole {
  return { ...before, ...now };
}

function documentChange(
  part: string,
  before: object | undefined,
  after: object | undefined,
): readonly DriftChange[] {
  if (before === undefined || after === undefined || isDeepStrictEqual(before, after)) return [];
  return [{ part, before, after }];
}

type Documents = Readonly<Record<string, object>>;

function namedChanges(
  kind: string,
  before: Documents | undefined,
  after: Documents | undefined,
): readonly DriftChange[] {
  if (before === undefined || after === undefined) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => {
      const [former, now] = [before[name], after[name]];
      return {
        part: `${kind} ${name}`,
        ...(former === undefined ? {} : { before: former }),
        ...(now === undefined ? {} : { after: now }),
      };
    });
}

function byArn({ attachedPolicies }: ObservedRole): Documents | undefined {
  if (attachedPolicies === undefined) return undefined;
  return Object.fromEntries(attachedPolicies.map(({ arn, document }) => [arn, document]));
}

function boundaryChange(before: ObservedRole, after: ObservedRole): readonly DriftChange[] {
  if (before.boundary === undefined || after.boundary === undefined) return [];
  if (isDeepStrictEqual(before.boundary, after.boundary)) return [];
  return [
    {
      part: "permissions boundary",
      ...(before.boundary === null ? {} : { before: before.boundary }),
      ...(after.boundary === null ? {} : { after: after.boundary }),
    },
  ];
}

function profileChange(before: ObservedRole, after: ObservedRole): readonly DriftChange[] {
  const [former, now] = [before.instanceProfiles, after.instanceProfiles];
  if (former === undefined || now === undefined) return [];
  if (isDeepStrictEqual([...former].sort(), [...now].sort())) return [];
  return [
    { part: "instance profiles", before: { InstanceProfiles: former }, after: { InstanceProfiles: now } },
  ];
}
