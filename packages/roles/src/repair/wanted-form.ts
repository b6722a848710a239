import { policyNameOf } from "../explain-simulation.ts";
import type { GrantProbe } from "../grant-probes.ts";
import { grantStatement } from "../grant-statement.ts";
import type { PolicyStatement } from "../policy-statement.ts";
import type { RoleValues } from "../role-values.ts";

/** How missing rights are written: on named resources or on every one, and with which Regions, buckets, ids. */
export interface WantedForm {
  readonly form: "scoped" | "compatible";
  readonly values: RoleValues;
}

/** The statement by which `roles export` gives the grant; undefined when the values leave it no resource. */
export function wantedStatement(
  { form, values }: WantedForm,
  { grant, operation }: GrantProbe,
): PolicyStatement | undefined {
  const scoped = grantStatement(grant, values);
  if (form === "scoped" || scoped === undefined || grant.actions.includes("iam:PassRole")) return scoped;
  const name = policyNameOf(operation);
  const sid = name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { Sid: sid, Effect: "Allow", Action: grant.actions, Resource: ["*"] };
}
