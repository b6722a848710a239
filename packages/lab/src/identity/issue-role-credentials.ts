import type { Lab } from "../lab.ts";
import { AwsError } from "../wire/aws-error.ts";
import type { InstanceOrigin, StoredSession } from "./caller-principal.ts";

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
export function issueRoleCredentials(_lab: Lab, request: RoleCredentialsRequest): StoredSession {
  throw new AwsError("NoSuchEntity", `The role ${request.roleArn} cannot be found.`, { status: 404 });
}
