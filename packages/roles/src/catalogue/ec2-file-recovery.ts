import type { OperationDefinition } from "../operation-definition.ts";
import { onOwn } from "./own-tag.ts";

export const ec2FileRecovery: OperationDefinition = {
  id: "ec2.file-recovery",
  title: "Recover files of an EC2 instance",
  planned: true,
  grants: [
    {
      id: "recovery-snapshots",
      actions: ["ec2:DescribeSnapshots"],
      resources: ["*"],
      placement: "always",
      caller: "appliance",
      step: "choose the restore point",
      why: "Files can be taken straight from an EBS snapshot that a policy keeps; EC2 offers no narrower resource for this read.",
    },
    {
      id: "recovery-image",
      actions: ["ssm:GetParameter"],
      resources: ["arn:${partition}:ssm:${region}:*:parameter/aws/service/canonical/ubuntu/*"],
      placement: "always",
      caller: "appliance",
      step: "choose the image",
      why: "Reading NTFS and Btrfs needs tools that Amazon Linux may lack; Canonical publishes the id of its current image in this public parameter.",
    },
    {
      id: "recovery-read-blocks",
      actions: ["ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks"],
      resources: ["arn:${partition}:ec2:${region}::snapshot/*"],
      conditions: onOwn,
      placement: "always",
      caller: "worker",
      step: "read files",
      why: "Lent to the worker for one task, narrowed to the one snapshot whose files are looked at; only snapshots of this installation.",
    },
    {
      id: "recovery-source-keys",
      actions: ["kms:Decrypt", "kms:DescribeKey"],
      resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
      conditions: { StringLike: { "kms:ViaService": "ec2.${region}.${dnsSuffix}" } },
      placement: "always",
      caller: "worker",
      step: "read files",
      why: "Blocks of an encrypted snapshot are readable only with its key, and only through EC2.",
      neededWhen: "a volume is encrypted",
    },
  ],
};
