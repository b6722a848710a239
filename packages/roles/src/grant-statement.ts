import { statementId, type ConditionTemplate, type Grant } from "./grant.ts";
import type { PolicyStatement } from "./policy-statement.ts";
import { fillTemplate, type RoleValues } from "./role-values.ts";

/** The statement of a grant in the scoped form; undefined when the values leave it no resource or a condition on nothing. */
export function grantStatement(grant: Grant, values: RoleValues): PolicyStatement | undefined {
  const resources = grant.resources.flatMap((template) => fillTemplate(template, values));
  const conditions = fillConditions(grant.conditions ?? {}, values);
  if (resources.length === 0 || isUnmeetable(conditions)) return undefined;
  const condition = mergeConditions(conditions, regionGuard(grant, resources, values));
  return {
    Sid: statementId(grant.id),
    Effect: "Allow",
    Action: grant.actions,
    Resource: resources,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

type Conditions = NonNullable<PolicyStatement["Condition"]>;

export function fillConditions(template: ConditionTemplate, values: RoleValues): Conditions {
  return mapEntries(template, (keys) =>
    mapEntries(keys, (texts) => {
      const filled = [texts].flat().flatMap((text) => fillTemplate(text, values));
      return filled.length === 1 ? (filled[0] ?? "") : filled;
    }),
  );
}

/** Whether the calls go to the partition's one Region for such services, wherever the owner works. */
export function isGlobal(grant: Grant): boolean {
  return grant.actions.every((action) => /^(?:iam|organizations):/.test(action) && action !== "iam:PassRole");
}

/** IAM takes no condition without a value, and none could ever be met. */
export function isUnmeetable(conditions: Conditions): boolean {
  return Object.values(conditions).some((keys) => Object.values(keys).some((value) => value.length === 0));
}

/** Where AWS offers no resource, the Regions that the owner named are the only fence left. */
function regionGuard(grant: Grant, resources: readonly string[], values: RoleValues): Conditions {
  const isGuarded = grant.conditions?.["StringEquals"]?.["aws:RequestedRegion"] !== undefined;
  if (!resources.includes("*") || values.region.includes("*") || isGlobal(grant) || isGuarded) return {};
  return { StringEquals: { "aws:RequestedRegion": values.region } };
}

function mergeConditions(first: Conditions, second: Conditions): Conditions | undefined {
  const merged: Record<string, Conditions[string]> = { ...first };
  for (const [operator, keys] of Object.entries(second)) merged[operator] = { ...merged[operator], ...keys };
  return Object.keys(merged).length === 0 ? undefined : merged;
}

function mapEntries<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
