import type { OperationDefinition } from "../operation-definition.ts";
import { listObjects, openObjects, readObjects } from "./repository-read.ts";

export const repositoryWrite: OperationDefinition = {
  id: "repository.write",
  title: "Write restore points into a bucket",
  grants: [
    listObjects,
    readObjects,
    openObjects,
    {
      id: "repository-write",
      actions: ["s3:PutObject"],
      resources: ["arn:${partition}:s3:::${bucket}/${bucketPrefix}*"],
      placement: "always",
      caller: "appliance",
      step: "write the repository",
      why: "Backups add objects below the repository's prefix; a worker is lent this for one task and one domain, and only for objects that aren't there yet.",
    },
    {
      id: "repository-key-encrypt",
      actions: ["kms:GenerateDataKey"],
      resources: ["${repositoryKeyArn}"],
      placement: "always",
      caller: "appliance",
      step: "write the repository",
      why: "A bucket encrypted under a key of the owner asks for that key with each object that is written.",
    },
  ],
};
