import type { OperationDefinition } from "../operation-definition.ts";

/** What every role but the appliance's holds so that it can be checked with its own credentials. */
export const checkItself: OperationDefinition = {
  id: "role.check",
  title: "Check the role with its own credentials",
  grants: [
    {
      id: "check-itself",
      actions: ["iam:GetContextKeysForPrincipalPolicy", "iam:GetRole", "iam:SimulatePrincipalPolicy"],
      resources: ["${roleArn}"],
      placement: "always",
      caller: "appliance",
      step: "check the role chain",
      why: "The role reads its own trust policy and asks IAM what its own rights are, so that a missing right is found before anything is launched.",
    },
  ],
};
