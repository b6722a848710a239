import type { Account, AccountRoles } from "@garrison/api/schemas/accounts";
import { assumeRole } from "@garrison/aws/assume-role";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import type { AwsCredentials } from "@garrison/aws/aws-credentials";
import { renewingCredentials } from "@garrison/aws/renewing-credentials";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { LaunchingRole } from "../store/database/schema.ts";

export interface AwsAccessOptions {
  readonly clock: Clock;
  readonly region: string;
  /** Absent: AWS's own. */
  readonly endpoint?: string;
  /** Assumed with what the environment gives; absent: the environment's identity is the appliance's. */
  readonly applianceRoleArn?: string;
  readonly installation: string;
}

export interface AssumableRole {
  readonly roleArn: string;
  readonly externalId?: string | undefined;
  readonly region: string;
}

/** The appliance's way into AWS: its own identity, and the roles it assumes from there. */
export interface AwsAccess extends Disposable {
  readonly endpoint?: string;
  readonly applianceRoleArn?: string;
  /** The appliance's own identity. */
  readonly appliance: AwsClients;
  /** Clients of a role, renewed as long as they are used. */
  role(role: AssumableRole): AwsClients;
  /** Credentials of a role narrowed by a session policy, to be given away. */
  lend(
    role: AssumableRole,
    loan: { readonly sessionPolicy: object; readonly sessionName: string },
    call: { readonly signal: AbortSignal },
  ): Promise<AwsCredentials>;
}

/** A renewal that nobody waits for any more still has to end. */
const renewalTimeoutMs = 60_000;

export function openAwsAccess(options: AwsAccessOptions): AwsAccess {
  const { clock, region, endpoint, applianceRoleArn, installation } = options;
  const reach = endpoint === undefined ? {} : { endpoint };
  const sessionName = `garrison-${installation}`;
  const opened = new Map<string, AwsClients>();
  const environment = openAwsClients({ region, ...reach });
  const assumed = (base: AwsClients, role: AssumableRole): AwsClients =>
    openAwsClients({
      region: role.region,
      ...reach,
      credentials: renewingCredentials(clock, () =>
        assumeRole(base.sts(), withExternalId({ roleArn: role.roleArn, sessionName }, role.externalId), {
          signal: AbortSignal.timeout(renewalTimeoutMs),
        }),
      ),
    });
  const appliance =
    applianceRoleArn === undefined
      ? environment
      : assumed(environment, { roleArn: applianceRoleArn, region });
  return {
    ...reach,
    ...(applianceRoleArn === undefined ? {} : { applianceRoleArn }),
    appliance,
    role(role) {
      const key = JSON.stringify([role.roleArn, role.externalId, role.region]);
      const known = opened.get(key);
      if (known !== undefined) return known;
      const clients = assumed(appliance, role);
      opened.set(key, clients);
      return clients;
    },
    lend: (role, loan, call) =>
      assumeRole(appliance.sts(), withExternalId({ roleArn: role.roleArn, ...loan }, role.externalId), call),
    [Symbol.dispose]: () => {
      for (const clients of [environment, appliance, ...opened.values()]) clients.close();
      opened.clear();
    },
  };
}

function withExternalId<Request extends object>(request: Request, externalId: string | undefined) {
  return externalId === undefined ? request : { ...request, externalId };
}

const roleTitles: Readonly<Record<keyof AccountRoles, string>> = {
  backup: "backup role",
  restore: "restore role",
  worker: "worker role",
  workerDeployment: "worker deployment role",
};

/** The account's role for that purpose. Throws `account-incomplete`. */
export function roleOf(account: Account, purpose: LaunchingRole | "worker"): AssumableRole {
  const roleArn = account.roles[purpose];
  if (roleArn !== undefined) return { roleArn, externalId: account.externalId, region: account.region };
  throw new GarrisonError("account-incomplete", `account ${account.name} has no ${roleTitles[purpose]}`);
}
