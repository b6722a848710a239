import type { Grant } from "../grant.ts";

/** How the worker logs in: a secret that the owner named, or a token. A password typed in needs no right of AWS. */
export const databaseSecret: readonly Grant[] = [
  {
    id: "database-secret",
    actions: ["secretsmanager:GetSecretValue"],
    resources: ["${databaseSecretArn}"],
    placement: "workers-in-production",
    caller: "worker",
    step: "log in to the database",
    why: "Lent to the worker for one task: only the secrets that the owner listed, and of these the one of that database.",
  },
  {
    id: "database-secret-key",
    actions: ["kms:Decrypt"],
    resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
    conditions: {
      StringEquals: { "kms:EncryptionContext:SecretARN": "${databaseSecretArn}" },
      StringLike: { "kms:ViaService": "secretsmanager.${region}.${dnsSuffix}" },
    },
    placement: "workers-in-production",
    caller: "worker",
    step: "log in to the database",
    why: "A secret under a key of the owner is readable only with that key, only through Secrets Manager and only for the listed secrets.",
    neededWhen: "the secret is encrypted under a key of the owner",
  },
];

/** PostgreSQL only: SQL Server on RDS knows no IAM authentication. */
export const databaseToken: Grant = {
  id: "database-token",
  actions: ["rds-db:connect"],
  resources: ["arn:${partition}:rds-db:${region}:${account}:dbuser:*/garrison"],
  placement: "workers-in-production",
  caller: "worker",
  step: "log in to the database",
  why: "With IAM database authentication the worker logs in as the database user garrison and as no other.",
  neededWhen: "IAM database authentication is used",
};
