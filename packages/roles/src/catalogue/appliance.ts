import type { OperationDefinition } from "../operation-definition.ts";

export const appliance: OperationDefinition = {
  id: "appliance",
  title: "Become the other roles",
  grants: [
    {
      id: "assume-roles",
      actions: ["sts:AssumeRole"],
      resources: ["${assumedRoleArn}"],
      placement: "always",
      caller: "appliance",
      step: "assume a role",
      why: "The appliance touches nothing itself: every right it uses is one of a role that trusts it, in the account that owns the data.",
    },
  ],
};
