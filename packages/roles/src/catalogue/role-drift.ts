import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";

const base: Pick<Grant, "placement" | "caller" | "step"> = {
  placement: "always",
  caller: "appliance",
  step: "compare the roles with the last good check",
};

/** What it takes to tell what was changed in a role, besides its trust: reads only, and no run needs them. */
export const roleDrift: OperationDefinition = {
  id: "role.drift",
  title: "Show what was changed in a role",
  grants: [
    {
      ...base,
      id: "drift-role-policies",
      actions: ["iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
      resources: ["${roleArn}", "${workerRoleArn}"],
      why: "The role reads its own IAM policies and those of the worker role that it launches with, so that a change is shown with the documents before and after.",
      neededWhen: "changes of IAM policies are to be shown",
    },
    {
      ...base,
      id: "drift-managed-policies",
      actions: ["iam:GetPolicy", "iam:GetPolicyVersion"],
      resources: ["arn:${partition}:iam::${account}:policy/*", "arn:${partition}:iam::aws:policy/*"],
      why: "What is attached to a role, or limits it, is a managed policy: its document is read where somebody attached one.",
      neededWhen: "changes of IAM policies are to be shown",
    },
    {
      ...base,
      id: "drift-events",
      actions: ["cloudtrail:LookupEvents"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:RequestedRegion": "${iamRegion}" } },
      step: "ask who changed a role",
      why: "CloudTrail's event history names who changed a role, when and from where; it can't be limited to some roles, so it is asked only where IAM's own calls are recorded.",
      neededWhen: "it is to be shown who made a change",
    },
  ],
};
