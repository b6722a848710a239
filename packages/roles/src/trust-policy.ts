import type { RoleDefinition } from "./role-definition.ts";
import type { PolicyStatement, PolicyText } from "./policy-statement.ts";

export interface TrustValues {
  readonly partition: string;
  /** The account that the appliance lives in. */
  readonly backupAccount: string;
  /** The appliance's role (or the user's own identity), by name: it may be deleted and made again. */
  readonly applianceArn: string;
  readonly externalId: string;
  readonly ec2Principals: readonly string[];
  /** The account that the role lives in; `*` when it isn't known. */
  readonly account?: string;
  /** Users and roles of the backup account that may run the appliance outside EC2. */
  readonly operatorArns?: readonly string[];
}

/**
 * Who may become the role. The appliance is named by condition under its account's root, not as principal: IAM stores a
 * principal role by unique id, so a trust that names it breaks when that role is made again.
 */
export function trustPolicy(role: RoleDefinition, values: TrustValues): PolicyText {
  const statements: PolicyStatement[] = [];
  if (role.trusts.includes("appliance")) statements.push(applianceTrust(role, values));
  if (role.trusts.includes("ec2")) statements.push(ec2Trust(values));
  if (role.trusts.includes("backup")) statements.push(backupTrust);
  if (role.trusts.includes("rds")) statements.push(rdsTrust(values));
  if (role.id === "appliance" && values.operatorArns !== undefined) statements.push(operatorTrust(values));
  return { Version: "2012-10-17", Statement: statements };
}

/** Who runs the appliance elsewhere than on EC2 has its role by this; by name too, and never under an instance's name. */
function operatorTrust(values: TrustValues): PolicyStatement {
  return {
    Sid: "GarrisonOperators",
    Effect: "Allow",
    Principal: { AWS: `arn:${values.partition}:iam::${values.backupAccount}:root` },
    Action: "sts:AssumeRole",
    Condition: {
      ArnEquals: { "aws:PrincipalArn": values.operatorArns ?? [] },
      StringNotLike: { "sts:RoleSessionName": "i-*" },
    },
  };
}

/**
 * EC2 names the sessions of an instance by the instance's id. On a role that instances carry, nobody else may take such
 * a name: who reads `i-…` in a session's ARN may rely on it.
 */
export function applianceTrust(role: RoleDefinition, values: TrustValues): PolicyStatement {
  return {
    Sid: "GarrisonAppliance",
    Effect: "Allow",
    Principal: { AWS: `arn:${values.partition}:iam::${values.backupAccount}:root` },
    Action: "sts:AssumeRole",
    Condition: {
      ArnEquals: { "aws:PrincipalArn": values.applianceArn },
      StringEquals: { "sts:ExternalId": values.externalId },
      ...(role.trusts.includes("ec2") ? { StringNotLike: { "sts:RoleSessionName": "i-*" } } : {}),
    },
  };
}

export function ec2Trust(values: Pick<TrustValues, "ec2Principals">): PolicyStatement {
  const [only, ...others] = values.ec2Principals;
  return {
    Sid: "GarrisonInstances",
    Effect: "Allow",
    Principal: { Service: only !== undefined && others.length === 0 ? only : values.ec2Principals },
    Action: "sts:AssumeRole",
  };
}

/** AWS Backup documents no condition for this: who may hand it the role is decided by PassRole, which ends at the account. */
const backupTrust: PolicyStatement = {
  Sid: "GarrisonAwsBackup",
  Effect: "Allow",
  Principal: { Service: "backup.amazonaws.com" },
  Action: "sts:AssumeRole",
};

/** RDS takes the role for native backup of SQL Server; only for databases and option groups of the role's own account. */
function rdsTrust({ account = "*", partition }: TrustValues): PolicyStatement {
  const sources = ["db", "og"].map((type) => `arn:${partition}:rds:*:${account}:${type}:*`);
  return {
    Sid: "GarrisonRds",
    Effect: "Allow",
    Principal: { Service: "rds.amazonaws.com" },
    Action: "sts:AssumeRole",
    Condition: {
      ...(account === "*" ? {} : { StringEquals: { "aws:SourceAccount": account } }),
      ArnLike: { "aws:SourceArn": sources },
    },
  };
}
