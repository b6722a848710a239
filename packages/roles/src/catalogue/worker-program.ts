import type { OperationDefinition } from "../operation-definition.ts";

export const workerProgram: OperationDefinition = {
  id: "worker.program",
  title: "Hand workers their program",
  grants: [
    {
      id: "staging-objects",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: ["arn:${partition}:s3:::${stagingBucket}/*"],
      placement: "always",
      caller: "appliance",
      step: "hand the worker its program",
      why: "The worker's program is put into the staging bucket and fetched by the instance through a presigned address.",
    },
  ],
};
