import { GarrisonError } from "@garrison/core/garrison-error";

export interface RoleArnParts {
  readonly partition: string;
  readonly accountId: string;
  readonly roleName: string;
}

/** Reads `arn:P:iam::ACCOUNT:role/path/NAME`. */
export function parseRoleArn(arn: string): RoleArnParts {
  const match = /^arn:([\w-]+):iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]{1,64})$/.exec(arn);
  const [, partition, accountId, roleName] = match ?? [];
  if (partition === undefined || accountId === undefined || roleName === undefined) {
    throw new GarrisonError("usage", `${arn} is not the ARN of a role (arn:aws:iam::123456789012:role/name)`);
  }
  return { partition, accountId, roleName };
}

/** The ARN by which policies know a caller: of the role for a role's session, otherwise the caller's own. */
export function principalArnOf(callerArn: string): string {
  const match = /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\/.+$/.exec(callerArn);
  const [, partition, accountId, roleName] = match ?? [];
  if (partition === undefined || accountId === undefined || roleName === undefined) return callerArn;
  return `arn:${partition}:iam::${accountId}:role/${roleName}`;
}
