import type { Lab } from "../lab.ts";
import { nameKey, type Role } from "./identity-tables.ts";

/** The role of that ARN, as services other than IAM see it. */
export function findRoleByArn(lab: Lab, roleArn: string): Role | undefined {
  const hit = /^arn:[^:]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn);
  if (hit === null) return undefined;
  const role = lab.effectiveIdentity.roles.get(nameKey(hit[1]!, hit[2]!));
  return role?.arn === roleArn ? role : undefined;
}
