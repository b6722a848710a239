import { evaluate } from "@garrison/iam/evaluate";
import type { Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import type { InstanceOrigin, StoredSession } from "./caller-principal.ts";
import { findRoleByArn } from "./find-role.ts";
import type { Role } from "./identity-tables.ts";
import { issueSession } from "./issue-session.ts";
import { showPrincipals } from "./stored-principals.ts";

export interface RoleCredentialsRequest {
  readonly roleArn: string;
  /** For an instance: its id. */
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** The service that asks; the role's trust policy must allow it (`ec2.amazonaws.com`). */
  readonly trustPrincipal: string;
  readonly instance?: InstanceOrigin;
}

/**
 * Credentials for a service that runs as a role, as the instance metadata service hands them out. Throws AccessDenied
 * when the role's trust doesn't allow that service, NoSuchEntity when there is no such role.
 */
export function issueRoleCredentials(lab: Lab, request: RoleCredentialsRequest): StoredSession {
  const { roleArn, sessionName, durationSeconds, trustPrincipal, instance } = request;
  const role = findRoleByArn(lab, roleArn);
  if (role === undefined)
    throw new AwsError("NoSuchEntity", `The role ${roleArn} cannot be found.`, { status: 404 });
  if (!trustsService(lab, role, trustPrincipal)) {
    throw new AwsError("AccessDenied", `${trustPrincipal} is not authorized to assume ${roleArn}`, {
      status: 403,
    });
  }
  const { accountId, roleId, roleName } = role;
  return issueSession(lab, {
    accountId,
    roleId,
    roleName,
    sessionName,
    durationSeconds,
    ...(instance === undefined ? {} : { instance }),
  });
}

/** Whether a role's trust policy lets a service (`ec2.amazonaws.com`) assume it for a resource of the same account. */
export function trustsService(lab: Lab, role: Role, service: string): boolean {
  const result = evaluate({
    request: {
      action: "sts:AssumeRole",
      resource: { resource: role.arn, accountId: role.accountId },
      principal: service,
      context: {
        "aws:SourceAccount": role.accountId,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
      },
    },
    resourcePolicy: lab.parsed.parse(showPrincipals(lab, role.trustPolicy)),
  });
  return result.decision === "Allowed";
}
