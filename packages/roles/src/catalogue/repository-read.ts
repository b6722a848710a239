import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";

/** A reader, a writer and a pruner all look names up first. */
export const listObjects: Grant = {
  id: "repository-list",
  actions: ["s3:ListBucket"],
  resources: ["arn:${partition}:s3:::${bucket}"],
  conditions: { StringLike: { "s3:prefix": "${bucketPrefix}*" } },
  placement: "always",
  caller: "appliance",
  step: "list restore points",
  why: "Finding restore points and resuming a session need a list of names, of this prefix only.",
};

export const readObjects: Grant = {
  id: "repository-read",
  actions: ["s3:GetObject"],
  resources: ["arn:${partition}:s3:::${bucket}/${bucketPrefix}*"],
  placement: "always",
  caller: "appliance",
  step: "read the repository",
  why: "Restore points are objects below the repository's prefix; a restoring worker is lent this right for one task and one domain.",
};

export const openObjects: Grant = {
  id: "repository-key-decrypt",
  actions: ["kms:Decrypt"],
  resources: ["${repositoryKeyArn}"],
  placement: "always",
  caller: "appliance",
  step: "read the repository",
  why: "A bucket encrypted under a key of the owner asks for that key with each object that is read.",
};

export const repositoryRead: OperationDefinition = {
  id: "repository.read",
  title: "Read restore points in a bucket",
  grants: [listObjects, readObjects, openObjects],
};
