import type { OperationDefinition } from "../operation-definition.ts";

export const repository: OperationDefinition = {
  id: "repository",
  title: "Keep restore points in a bucket",
  grants: [
    {
      id: "repository-objects",
      actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      resources: ["arn:${partition}:s3:::${bucket}/${bucketPrefix}*"],
      placement: "always",
      caller: "appliance",
      step: "read and write the repository",
      why: "Restore points are objects below the repository's prefix; workers get a narrower share of this, without delete, for one task.",
    },
    {
      id: "repository-list",
      actions: ["s3:ListBucket"],
      resources: ["arn:${partition}:s3:::${bucket}"],
      conditions: { StringLike: { "s3:prefix": "${bucketPrefix}*" } },
      placement: "always",
      caller: "appliance",
      step: "list restore points",
      why: "Finding restore points and resuming a session need a list of names, of this prefix only.",
    },
    {
      id: "staging-objects",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: ["arn:${partition}:s3:::${stagingBucket}/*"],
      placement: "always",
      caller: "appliance",
      step: "hand the worker its program",
      why: "The worker's program is put into the staging bucket and fetched by the instance through a presigned address.",
    },
    {
      id: "repository-key",
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: ["${repositoryKeyArn}"],
      placement: "always",
      caller: "appliance",
      step: "read and write the repository",
      why: "A bucket encrypted under a key of the owner asks for that key with each object.",
    },
  ],
};
