import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { agentPolicy } from "./contracts.ts";

/**
 * The role in the worker's instance profile: 33 actions, none of which touches data. 25 are what AWS's managed policy
 * AmazonSSMManagedInstanceCore gives the Systems Manager agent; of these, today's agents (from 3.3.40) need only
 * `ssm:UpdateInstanceInformation` and the two control-channel actions to receive a Run Command. The rest is marked
 * with when it is needed, and a role without it passes the check.
 */
const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "worker" };
const agent: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "systems-manager-agent" };
const byContract: Pick<Grant, "placement" | "caller" | "contract"> = {
  ...agent,
  contract: { source: agentPolicy },
};

const fromOwnInstance = {
  ArnLike: { "ec2:SourceInstanceARN": "arn:${partition}:ec2:${region}:${account}:instance/*" },
} as const;

const dialogue: readonly Grant[] = [
  {
    ...own,
    id: "dialogue-find-queues",
    actions: ["sqs:ListQueues"],
    resources: ["*"],
    step: "open the channel",
    why: "The worker finds its two queues by their prefix; SQS offers no narrower resource for the list.",
  },
  {
    ...own,
    id: "dialogue-receive",
    actions: ["sqs:DeleteMessage", "sqs:ReceiveMessage"],
    resources: ["arn:${partition}:sqs:${region}:${account}:garrison-${installation}-*-in"],
    step: "talk with the appliance",
    why: "Tasks arrive as sealed messages on the worker's own queue.",
  },
  {
    ...own,
    id: "dialogue-send",
    actions: ["sqs:SendMessage"],
    resources: ["arn:${partition}:sqs:${region}:${account}:garrison-${installation}-*-out"],
    step: "talk with the appliance",
    why: "Progress and results leave as sealed messages on the worker's own queue.",
  },
  {
    ...own,
    caller: "appliance",
    id: "worker-check-itself",
    actions: [
      "iam:GetContextKeysForPrincipalPolicy",
      "iam:GetRole",
      "iam:ListInstanceProfilesForRole",
      "iam:SimulatePrincipalPolicy",
    ],
    resources: ["${roleArn}"],
    step: "check the role chain",
    why: "With the role's own credentials the appliance reads its trust, its instance profiles and its rights before anything is launched.",
  },
];

const agentOnPath: readonly Grant[] = [
  {
    ...agent,
    id: "agent-register",
    actions: ["ssm:UpdateInstanceInformation"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: fromOwnInstance,
    step: "register with Systems Manager",
    why: "The agent registers the instance and repeats that every few minutes.",
  },
  {
    ...agent,
    id: "agent-control-channel",
    actions: ["ssmmessages:CreateControlChannel"],
    resources: ["*"],
    conditions: fromOwnInstance,
    step: "receive the command",
    why: "Current agents receive Run Command over this channel; AWS offers no narrower resource, so the calling instance is named instead.",
  },
  {
    ...agent,
    id: "agent-open-control-channel",
    actions: ["ssmmessages:OpenControlChannel"],
    resources: ["*"],
    step: "receive the command",
    why: "Opens the channel that was made; AWS offers neither a resource nor a condition of its own.",
  },
];

const agentByContract: readonly Grant[] = [
  {
    ...byContract,
    id: "agent-messages",
    actions: ["ec2messages:GetMessages", "ec2messages:SendReply"],
    resources: ["*"],
    conditions: fromOwnInstance,
    step: "receive the command",
    why: "Agents older than 3.3.40, and older Regions, receive Run Command by this long poll.",
    neededWhen: "the agent is older than 3.3.40",
  },
  {
    ...byContract,
    id: "agent-message-states",
    actions: [
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
    ],
    resources: ["*"],
    step: "receive the command",
    why: "The same long poll acknowledges and removes what it received; AWS offers neither a resource nor a condition of its own.",
    neededWhen: "the agent is older than 3.3.40",
  },
  {
    ...byContract,
    id: "agent-data-channel",
    actions: ["ssmmessages:CreateDataChannel", "ssmmessages:OpenDataChannel"],
    resources: ["*"],
    step: "by contract",
    why: "Part of AWS's contract with the agent, used for interactive sessions, which Garrison never opens.",
    neededWhen: "somebody opens an interactive session",
  },
  {
    ...byContract,
    id: "agent-parameters",
    actions: ["ssm:GetParameter", "ssm:GetParameters"],
    resources: ["arn:${partition}:ssm:${region}:*:parameter/aws/service/*"],
    step: "by contract",
    why: "The agent resolves parameters named in documents; only AWS's public ones, never the owner's.",
    neededWhen: "a document names a public parameter",
  },
  {
    ...byContract,
    id: "agent-documents",
    actions: ["ssm:DescribeDocument", "ssm:GetDocument"],
    resources: ["arn:${partition}:ssm:${region}:*:document/*"],
    step: "by contract",
    why: "The agent fetches documents that associations name; the content of a Run Command comes with the message.",
    neededWhen: "State Manager associations apply to the instance",
  },
  {
    ...byContract,
    id: "agent-associations",
    actions: ["ssm:DescribeAssociation", "ssm:ListInstanceAssociations"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    step: "by contract",
    why: "The agent polls the associations of its own instance.",
    neededWhen: "State Manager associations apply to the instance",
  },
  {
    ...byContract,
    id: "agent-association-states",
    actions: ["ssm:UpdateAssociationStatus", "ssm:UpdateInstanceAssociationStatus"],
    resources: [
      "arn:${partition}:ssm:${region}:*:document/*",
      "arn:${partition}:ssm:${region}:${account}:association/*",
      "arn:${partition}:ec2:${region}:${account}:instance/*",
    ],
    conditions: fromOwnInstance,
    step: "by contract",
    why: "The agent reports the state of the associations of its own instance.",
    neededWhen: "State Manager associations apply to the instance",
  },
  {
    ...byContract,
    id: "agent-compliance",
    actions: ["ssm:PutComplianceItems"],
    resources: ["arn:${partition}:ec2:${region}:${account}:instance/*"],
    conditions: fromOwnInstance,
    step: "by contract",
    why: "The agent reports compliance of its own instance.",
    neededWhen: "Systems Manager Compliance covers the instance",
  },
  {
    ...byContract,
    id: "agent-state-manager",
    actions: [
      "ssm:GetDeployablePatchSnapshotForInstance",
      "ssm:GetManifest",
      "ssm:ListAssociations",
      "ssm:PutConfigurePackageResult",
      "ssm:PutInventory",
    ],
    resources: ["*"],
    step: "by contract",
    why: "Part of AWS's contract with the agent (patches, packages, inventory); AWS offers no narrower resource.",
    neededWhen: "Patch Manager, Distributor or Inventory cover the instance",
  },
];

export const worker: OperationDefinition = {
  id: "worker",
  title: "Be a worker: register, receive tasks, report",
  grants: [...dialogue, ...agentOnPath, ...agentByContract],
};
