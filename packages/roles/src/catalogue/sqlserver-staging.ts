import type { ConditionTemplate, Grant } from "../grant.ts";

const bucket = "arn:${partition}:s3:::garrison-${installation}-sqlserver-*";
const objects = `${bucket}/*`;

/** A bucket's name is anybody's to take: without this a foreign bucket of that name would be written to. */
const inOwnAccount: ConditionTemplate = { StringEquals: { "s3:ResourceAccount": "${account}" } };

const own: Pick<Grant, "placement" | "caller" | "conditions"> = {
  placement: "workers-in-production",
  caller: "appliance",
  conditions: inOwnAccount,
};

/**
 * SQL Server on RDS backs up to and restores from S3 only, by RDS's own native procedures. The files pass through a private
 * bucket in the database's account that is made for one run.
 */
export const sqlServerStaging: readonly Grant[] = [
  {
    placement: "workers-in-production",
    caller: "appliance",
    id: "sqlserver-options",
    actions: ["rds:DescribeOptionGroups"],
    resources: ["arn:${partition}:rds:${region}:${account}:og:*"],
    step: "read the database",
    why: "Native backup needs the option SQLSERVER_BACKUP_RESTORE; its owner sets it once, and the run only looks whether it is there.",
  },
  {
    ...own,
    id: "sqlserver-staging-bucket",
    actions: ["s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketTagging", "s3:PutLifecycleConfiguration"],
    resources: [bucket],
    step: "stage the database",
    why: "The staging bucket is made for the run, tagged, emptied by its own lifecycle after a day whatever happens, and removed; only buckets of that name in this account.",
  },
  {
    ...own,
    caller: "service",
    id: "sqlserver-service-bucket",
    actions: ["s3:GetBucketLocation", "s3:ListBucket"],
    resources: [bucket],
    step: "stage the database",
    why: "RDS looks at the bucket before it writes or reads a backup file.",
  },
  {
    ...own,
    caller: "service",
    id: "sqlserver-service-files",
    actions: [
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:GetObjectAttributes",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ],
    resources: [objects],
    step: "stage the database",
    why: "RDS writes the backup file into the staging bucket, or reads it from there; it takes this role for that, since an option group names one role for both ways.",
  },
];

/** What the worker moves between staging and repository, either way. */
export function stagedFiles(way: "s3:GetObject" | "s3:PutObject"): Grant {
  const isBackup = way === "s3:GetObject";
  return {
    ...own,
    caller: "worker",
    id: isBackup ? "sqlserver-take-files" : "sqlserver-put-files",
    actions: ["s3:DeleteObject", way],
    resources: [objects],
    step: isBackup ? "copy the backup file" : "stage the database",
    why: isBackup
      ? "Lent to the worker for one task: it moves the backup file into the repository and deletes it from the staging bucket."
      : "Lent to the worker for one task: it puts the backup file into the staging bucket and deletes it after the restore.",
  };
}
