import type { ChainSubject } from "../chain-subjects.ts";
import { parseRoleArn } from "../role-arn.ts";
import { findRole } from "../role-catalogue.ts";
import type { RoleValues } from "../role-values.ts";

/** The appliance's own role, which walks the chains and so is in none of them. */
export function applianceSubject(roleArn: string, values: RoleValues): ChainSubject {
  const role = findRole("appliance");
  const { accountId } = parseRoleArn(roleArn);
  return { role, roleArn, accountId, externalId: undefined, operations: role.operations, values };
}
