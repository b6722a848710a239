import type { Account } from "@garrison/api/schemas/accounts";
import { GarrisonError } from "@garrison/core/garrison-error";
import { roleOf } from "../access/aws-access.ts";
import type { LaunchingRole } from "../store/database/schema.ts";
import { allAccounts } from "../store/accounts.ts";
import type { RunDependencies } from "./run-dependencies.ts";

/** Where a run's workers live and who launches them there. */
export interface WorkerPlace {
  readonly account: Account;
  readonly role: LaunchingRole;
  readonly placement: "production" | "backup";
  readonly workerRoleArn: string;
}

/** Throws `account-incomplete` when the account lacks the launching role or the worker role. */
export async function findWorkerPlace(
  dependencies: Pick<RunDependencies, "queries">,
  wanted: {
    readonly placement: "production" | "backup";
    readonly account: Account;
    readonly role: LaunchingRole;
  },
): Promise<WorkerPlace> {
  const { placement } = wanted;
  const account =
    placement === "production" ? wanted.account : await findBackupAccount(dependencies, wanted.account);
  const role = placement === "production" ? wanted.role : "workerDeployment";
  roleOf(account, role);
  return { account, role, placement, workerRoleArn: roleOf(account, "worker").roleArn };
}

async function findBackupAccount(
  dependencies: Pick<RunDependencies, "queries">,
  production: Account,
): Promise<Account> {
  const accounts = await allAccounts(dependencies.queries);
  const able = accounts.find(
    (account) => account.roles.workerDeployment !== undefined && account.region === production.region,
  );
  if (able !== undefined) return able;
  throw new GarrisonError(
    "account-incomplete",
    `no account in ${production.region} has a worker deployment role, which placement backup needs`,
  );
}
