import type { ExportOptions } from "@garrison/roles/export-role";
import type { RoleId } from "@garrison/roles/role-definition";

/** What the proof calls things; accounts and operators are the lab's own seed. */
export const proofNames = {
  region: "eu-central-1",
  backupAccount: "111111111111",
  productionAccount: "222222222222",
  externalId: "garrison-proof",
  bucket: "garrison-proof-repository",
  prefix: "main",
  stagingBucket: "garrison-proof-staging",
  /** A role of somebody's server, which the owner lets restored instances have. */
  applicationRole: "application",
} as const;

const { backupAccount, productionAccount } = proofNames;

export interface PlacedRole {
  readonly role: RoleId;
  readonly accountId: string;
  readonly placement: "production" | "backup";
}

/** Which role is made where; the worker role is in both, since workers run in either account. */
export const placedRoles: readonly PlacedRole[] = [
  { role: "appliance", accountId: backupAccount, placement: "backup" },
  { role: "repository", accountId: backupAccount, placement: "backup" },
  { role: "worker-deployment", accountId: backupAccount, placement: "backup" },
  { role: "worker", accountId: backupAccount, placement: "backup" },
  { role: "backup-ec2", accountId: productionAccount, placement: "production" },
  { role: "restore-ec2", accountId: productionAccount, placement: "production" },
  { role: "worker", accountId: productionAccount, placement: "production" },
];

export function roleArn(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:role/${name}`;
}

/** As an owner would export the roles of one installation, with everything that narrows them given. */
export function proofExport(options: {
  readonly form: "scoped" | "compatible";
  readonly installation: string;
  readonly repositoryKeyArn: string;
}): ExportOptions {
  return {
    form: options.form,
    accounts: { backup: backupAccount, production: productionAccount },
    withWorkersInProduction: true,
    regions: [proofNames.region],
    installation: options.installation,
    externalId: proofNames.externalId,
    operatorArns: [`arn:aws:iam::${backupAccount}:user/operator`],
    bucket: proofNames.bucket,
    bucketPrefix: proofNames.prefix,
    stagingBuckets: [proofNames.stagingBucket],
    repositoryKeyArns: [options.repositoryKeyArn],
    passRoles: [roleArn(productionAccount, proofNames.applicationRole)],
  };
}
