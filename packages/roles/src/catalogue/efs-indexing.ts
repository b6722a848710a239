import type { OperationDefinition } from "../operation-definition.ts";

const fileSystems = "arn:${partition}:elasticfilesystem:${region}:${account}:file-system/*";

export const efsIndexing: OperationDefinition = {
  id: "efs.indexing",
  title: "Index the files of an EFS file system",
  planned: true,
  grants: [
    {
      id: "efs-mount-targets",
      actions: [
        "elasticfilesystem:DescribeFileSystems",
        "elasticfilesystem:DescribeMountTargetSecurityGroups",
        "elasticfilesystem:DescribeMountTargets",
      ],
      resources: [fileSystems],
      placement: "workers-in-production",
      caller: "appliance",
      step: "choose the mount target",
      why: "The worker starts in the zone and network of one of the file system's mount targets, with a security group that reaches it.",
    },
    {
      id: "efs-mount-read-only",
      actions: ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess"],
      resources: [fileSystems],
      conditions: { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } },
      placement: "workers-in-production",
      caller: "worker",
      step: "walk the tree",
      why: "Lent to the worker for one task and one file system: it reads names and attributes of every entry, which takes root's eyes, and can't write.",
      neededWhen: "the file system has a policy that asks for IAM",
    },
  ],
};
