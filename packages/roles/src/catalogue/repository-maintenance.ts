import type { OperationDefinition } from "../operation-definition.ts";
import { listObjects, openObjects, readObjects } from "./repository-read.ts";

export const repositoryMaintenance: OperationDefinition = {
  id: "repository.maintenance",
  title: "Expire and prune restore points",
  grants: [
    listObjects,
    readObjects,
    openObjects,
    {
      id: "repository-delete",
      actions: ["s3:DeleteObject"],
      resources: ["arn:${partition}:s3:::${bucket}/${bucketPrefix}*"],
      placement: "always",
      caller: "appliance",
      step: "prune the repository",
      why: "Packs that no restore point needs any more are deleted by the appliance; no worker is ever lent this right, and in a versioned bucket it removes no version.",
    },
  ],
};
