import type { Grant, GrantPlacement } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";

type LaunchGrant = Omit<Grant, "placement" | "caller">;

const launchGrants: readonly LaunchGrant[] = [
  {
    id: "worker-state",
    actions: ["ec2:DescribeInstances"],
    resources: ["*"],
    step: "wait for the worker",
    why: "A worker's state tells whether it runs, and why it ended; EC2 offers no narrower resource for this read.",
  },
  {
    id: "worker-image",
    actions: ["ssm:GetParameter"],
    resources: ["arn:${partition}:ssm:${region}:*:parameter/aws/service/ami-amazon-linux-latest/*"],
    step: "choose the image",
    why: "AWS publishes the id of its current Amazon Linux image in this public parameter.",
  },
  {
    id: "worker-instance",
    actions: ["ec2:RunInstances"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: {
      StringEquals: { "ec2:MetadataHttpTokens": "required" },
      StringLike: { "aws:RequestTag/garrison:installation": "${installation}" },
    },
    step: "launch the worker",
    why: "A worker is launched only with session-oriented metadata (IMDSv2) and with the installation's tag.",
  },
  {
    id: "worker-parts",
    actions: ["ec2:RunInstances"],
    resources: [
      "arn:${partition}:ec2:${region}::image/*",
      "arn:${partition}:ec2:${region}:${account}:network-interface/*",
      "arn:${partition}:ec2:${region}:${account}:security-group/*",
      "arn:${partition}:ec2:${region}:${account}:subnet/*",
      "arn:${partition}:ec2:${region}:${account}:volume/*",
    ],
    step: "launch the worker",
    why: "The launch names an image, a subnet and a security group, and makes a network interface and a volume that go with the instance. No key pair: nobody logs in.",
  },
  {
    id: "worker-tags",
    actions: ["ec2:CreateTags"],
    resources: [
      "arn:${partition}:ec2:${region}:${account}:instance/*",
      "arn:${partition}:ec2:${region}:${account}:network-interface/*",
      "arn:${partition}:ec2:${region}:${account}:volume/*",
    ],
    conditions: { StringEquals: { "ec2:CreateAction": "RunInstances" } },
    step: "launch the worker",
    why: "Tags are set while the worker is made and never afterwards: nobody can claim a foreign instance with this role.",
  },
  {
    id: "worker-pass-role",
    actions: ["iam:PassRole"],
    resources: ["${workerRoleArn}"],
    conditions: { StringEquals: { "iam:PassedToService": "${ec2Principals}" } },
    step: "launch the worker",
    why: "The worker role, which can only talk, is given to the instance; no other role can be, and to no other service.",
  },
  {
    id: "worker-profile",
    actions: ["iam:GetInstanceProfile"],
    resources: ["${workerProfileArn}"],
    step: "launch the worker",
    why: "The launch names the instance profile that holds the worker role; a wrong one is found before the launch.",
  },
  {
    id: "worker-console",
    actions: ["ec2:GetConsoleOutput"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: { StringLike: { "aws:ResourceTag/garrison:installation": "${installation}" } },
    step: "wait for the worker",
    why: "When a worker never registers, its console output is the only trace of the reason.",
  },
  {
    id: "worker-terminate",
    actions: ["ec2:TerminateInstances"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: { StringLike: { "aws:ResourceTag/garrison:installation": "${installation}" } },
    step: "remove the worker",
    why: "A worker that doesn't end by itself is removed; no other instance can be terminated.",
  },
];

const bootstrapGrants: readonly LaunchGrant[] = [
  {
    id: "worker-command",
    actions: ["ssm:SendCommand"],
    resources: ["arn:${partition}:ssm:${region}:*:document/AWS-RunShellScript"],
    step: "start the worker's program",
    why: "The worker's program is started by Run Command with AWS's own shell document; nothing on the instance is reachable from outside.",
  },
  {
    id: "worker-command-target",
    actions: ["ssm:SendCommand"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: { StringLike: { "aws:ResourceTag/garrison:installation": "${installation}" } },
    step: "start the worker's program",
    why: "Commands reach only instances that this installation launched.",
  },
  {
    id: "worker-command-result",
    actions: ["ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation"],
    resources: ["*"],
    step: "start the worker's program",
    why: "The appliance waits until the instance has registered and reads the worker's public keys from the command's output; AWS offers no narrower resource.",
  },
];

const queueGrants: readonly LaunchGrant[] = [
  {
    id: "worker-queues",
    actions: ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:TagQueue"],
    resources: ["arn:${partition}:sqs:${region}:${account}:garrison-${installation}-*"],
    step: "open the channel",
    why: "Each worker gets two queues of its own, named by installation and worker, and they are removed with it.",
  },
  {
    id: "worker-queue-in",
    actions: ["sqs:SendMessage"],
    resources: ["arn:${partition}:sqs:${region}:${account}:garrison-${installation}-*-in"],
    step: "talk with the worker",
    why: "Tasks and credentials go to the worker as sealed messages.",
  },
  {
    id: "worker-queue-out",
    actions: ["sqs:DeleteMessage", "sqs:ReceiveMessage"],
    resources: ["arn:${partition}:sqs:${region}:${account}:garrison-${installation}-*-out"],
    step: "talk with the worker",
    why: "Progress and results come from the worker as sealed messages.",
  },
];

/** The rights to launch a worker and to talk with it; the same wherever it runs. */
export const launchInProduction = workerLaunch("workers-in-production");
export const launchInBackup = workerLaunch("workers-in-backup");

/**
 * A role that launches instances and is attached to them too: what runs on the instance, next to a file system of unknown
 * origin, must not hold the right to launch. Credentials that come from an instance carry the instance's ARN; those that
 * the appliance assumed don't.
 */
export const launchItself: OperationDefinition = {
  ...launchInProduction,
  title: "Launch itself as a worker and talk with it",
  grants: launchInProduction.grants.map((grant) => ({
    ...grant,
    placement: "always",
    conditions: { ...grant.conditions, Null: { "ec2:SourceInstanceARN": "true" } },
  })),
};

function workerLaunch(placement: GrantPlacement): OperationDefinition {
  const grants = [...launchGrants, ...bootstrapGrants, ...queueGrants];
  return {
    id: "worker.launch",
    title: "Launch a worker and talk with it",
    grants: grants.map((grant) => ({ ...grant, placement, caller: "appliance" })),
  };
}
