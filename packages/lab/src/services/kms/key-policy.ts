import { showPrincipals } from "../../identity/stored-principals.ts";
import type { Lab } from "../../lab.ts";
import { keyTables, type GrantRecord, type KeyRecord } from "./key-record.ts";

export interface KeyOwner {
  readonly partition: string;
  readonly accountId: string;
  readonly region: string;
}

/** The policy of a key made without one: the account's identity policies decide. */
export function defaultKeyPolicy({ partition, accountId }: KeyOwner): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
}

/** AWS managed keys serve everybody of the account through their service, and nobody else. */
export function awsManagedKeyPolicy({ partition, accountId, region }: KeyOwner, service: string): string {
  const through = service === "ebs" ? "ec2" : service;
  return JSON.stringify({
    Version: "2012-10-17",
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${service.toUpperCase()} for all principals in the account that are authorized to use it`,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "kms:Encrypt",
          "kms:Decrypt",
          "kms:ReEncrypt*",
          "kms:GenerateDataKey*",
          "kms:CreateGrant",
          "kms:DescribeKey",
        ],
        Resource: "*",
        Condition: {
          StringEquals: {
            "kms:CallerAccount": accountId,
            "kms:ViaService": `${through}.${region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ],
  });
}

/** The key's policy, with the principals that it names by unique id. */
export function shownKeyPolicy(lab: Lab, key: KeyRecord): object {
  return lab.parsed.parse(showPrincipals(lab, key.policy));
}

/** The grants on a key: they allow beside its policy, and without a word in the grantee's own IAM policies. */
export function grantsOn(lab: Lab, key: KeyRecord): readonly GrantRecord[] {
  return [...keyTables(lab.state).grants.values()].filter(({ keyArn }) => keyArn === key.arn);
}
