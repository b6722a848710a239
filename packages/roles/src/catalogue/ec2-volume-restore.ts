import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { asOwn, onOwn, ownTagKeys, whileMaking } from "./own-tag.ts";
import { snapshotWriting } from "./snapshot-writing.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const volumes = "arn:${partition}:ec2:${region}:${account}:volume/*";
const instances = "arn:${partition}:ec2:${region}:${account}:instance/*";
const inPlace = "the restored volume takes the place of an attached one";

const making: readonly Grant[] = [
  {
    ...own,
    id: "volume-restore-inventory",
    actions: ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"],
    resources: ["*"],
    step: "plan the restore",
    why: "The restore looks at the volume and the instance it is for and follows them until they are ready; EC2 offers no narrower resource for these reads.",
  },
  ...snapshotWriting,
  {
    ...own,
    id: "volume-restore-create",
    actions: ["ec2:CreateVolume"],
    resources: [volumes],
    conditions: asOwn,
    step: "make the volume",
    why: "A volume is made only with the installation's tag, so that an undo can remove it and nothing else.",
  },
  {
    ...own,
    id: "volume-restore-source",
    actions: ["ec2:CreateVolume"],
    resources: ["arn:${partition}:ec2:${region}::snapshot/*"],
    conditions: onOwn,
    step: "make the volume",
    why: "Only snapshots that a restore of this installation wrote can become a volume.",
  },
  {
    ...own,
    id: "volume-restore-tags",
    actions: ["ec2:CreateTags"],
    resources: [volumes],
    conditions: whileMaking("CreateVolume"),
    step: "make the volume",
    why: "The volume gets its own tags back while it is made and never afterwards.",
  },
];

const attaching: readonly Grant[] = [
  {
    ...own,
    id: "volume-restore-attach",
    actions: ["ec2:AttachVolume"],
    resources: [volumes],
    conditions: onOwn,
    step: "attach the volume",
    why: "Only a volume that this restore made is attached.",
    neededWhen: "the restored volume is attached",
  },
  {
    ...own,
    id: "volume-restore-attach-to",
    actions: ["ec2:AttachVolume"],
    resources: [instances],
    step: "attach the volume",
    why: "The user chooses the instance that gets the volume; it is somebody's own, so no tag of Garrison's narrows it.",
    neededWhen: "the restored volume is attached",
  },
  {
    ...own,
    id: "volume-restore-detach",
    actions: ["ec2:DetachVolume"],
    resources: [instances, volumes],
    step: "attach the volume",
    why: "The volume that is replaced is detached and kept; no right here deletes it.",
    neededWhen: inPlace,
  },
  {
    ...own,
    id: "volume-restore-stop",
    actions: ["ec2:StartInstances", "ec2:StopInstances"],
    resources: [instances],
    step: "attach the volume",
    why: "A root volume can be replaced only while its instance is stopped; it is started again afterwards, also when the replacement failed.",
    neededWhen: inPlace,
  },
  {
    ...own,
    id: "volume-restore-untag",
    actions: ["ec2:DeleteTags"],
    resources: [volumes],
    conditions: { ...onOwn, ...ownTagKeys },
    step: "hand over the volume",
    why: "What is handed over carries no tag of Garrison's any more, so that no right that hangs on those tags reaches it.",
  },
  {
    ...own,
    id: "volume-restore-undo",
    actions: ["ec2:DeleteVolume"],
    resources: [volumes],
    conditions: onOwn,
    step: "remove what the restore made",
    why: "A restore that failed removes its own volume; no other can be deleted.",
  },
];

export const ec2VolumeRestore: OperationDefinition = {
  id: "ec2.volume-restore",
  title: "Restore volumes of an EC2 instance",
  planned: true,
  grants: [...making, ...attaching],
};
