import type { AwsClients } from "@garrison/aws/aws-clients";
import { createRole } from "@garrison/aws/create-role";
import { exportRole, type ExportOptions } from "@garrison/roles/export-role";
import type { RoleId } from "@garrison/roles/role-definition";
import { demoNames } from "./demo-names.ts";

export interface DemoRolesPlan {
  readonly installation: string;
  readonly clientsOf: (accountId: string) => AwsClients;
}

const { backupAccount, productionAccount } = demoNames;

/** Which role is made where; the worker role is in both, so that workers may run in either account. */
const placements: readonly {
  readonly accountId: string;
  readonly role: RoleId;
  readonly placement: "production" | "backup";
}[] = [
  { accountId: backupAccount, role: "appliance", placement: "backup" },
  { accountId: backupAccount, role: "repository", placement: "backup" },
  { accountId: backupAccount, role: "worker-deployment", placement: "backup" },
  { accountId: backupAccount, role: "worker", placement: "backup" },
  { accountId: productionAccount, role: "backup-ec2", placement: "production" },
  { accountId: productionAccount, role: "restore-ec2", placement: "production" },
  { accountId: productionAccount, role: "worker", placement: "production" },
];

/** Writes every role from its exported documents through IAM, as each account's own operator. Answers what changed. */
export async function createDemoRoles(plan: DemoRolesPlan, signal: AbortSignal): Promise<number> {
  let changes = 0;
  for (const { accountId, role, placement } of placements) {
    const documents = exportRole(role, { ...exportOptions(plan.installation), placement });
    changes += (await createRole(plan.clientsOf(accountId), documents, { signal })).length;
  }
  return changes;
}

function exportOptions(installation: string): ExportOptions {
  return {
    form: "scoped",
    accounts: { backup: backupAccount, production: productionAccount },
    withWorkersInProduction: true,
    regions: [demoNames.region],
    installation,
    externalId: demoNames.externalId,
    // Not on EC2 here: the operator runs the appliance, which acts as its role all the same.
    operatorArns: [`arn:aws:iam::${backupAccount}:user/operator`],
    bucket: demoNames.bucket,
    bucketPrefix: demoNames.prefix,
    stagingBuckets: [demoNames.stagingBucket],
  };
}
