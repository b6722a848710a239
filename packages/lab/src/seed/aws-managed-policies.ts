import type { Lab } from "../lab.ts";
import { newUniqueId } from "../identity/unique-ids.ts";

interface AwsManagedPolicy {
  readonly name: string;
  readonly description: string;
  readonly document: object;
}

const systemsManagerActions = [
  "ssm:DescribeAssociation",
  "ssm:GetDeployablePatchSnapshotForInstance",
  "ssm:GetDocument",
  "ssm:DescribeDocument",
  "ssm:GetManifest",
  "ssm:GetParameter",
  "ssm:GetParameters",
  "ssm:ListAssociations",
  "ssm:ListInstanceAssociations",
  "ssm:PutInventory",
  "ssm:PutComplianceItems",
  "ssm:PutConfigurePackageResult",
  "ssm:UpdateAssociationStatus",
  "ssm:UpdateInstanceAssociationStatus",
  "ssm:UpdateInstanceInformation",
];

const channelActions = [
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
];

const messageActions = [
  "ec2messages:AcknowledgeMessage",
  "ec2messages:DeleteMessage",
  "ec2messages:FailMessage",
  "ec2messages:GetEndpoint",
  "ec2messages:GetMessages",
  "ec2messages:SendReply",
];

const allow = (actions: readonly string[]): object => ({ Effect: "Allow", Action: actions, Resource: "*" });

/** Those of AWS's own policies that people attach in the lab. */
const awsManagedPolicies: readonly AwsManagedPolicy[] = [
  {
    name: "AdministratorAccess",
    description: "Provides full access to AWS services and resources.",
    document: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
  },
  {
    name: "AmazonSSMManagedInstanceCore",
    description: "The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.",
    document: {
      Version: "2012-10-17",
      Statement: [allow(systemsManagerActions), allow(channelActions), allow(messageActions)],
    },
  },
];

/** Makes AWS's managed policies known; those that are there stay as they are. */
export function seedAwsManagedPolicies(lab: Lab): void {
  const { managedPolicies } = lab.identity;
  for (const { name, description, document } of awsManagedPolicies) {
    const arn = `arn:${lab.settings.partition}:iam::aws:policy/${name}`;
    if (managedPolicies.has(arn)) continue;
    const createdAtMs = lab.clock.now();
    managedPolicies.put(arn, {
      arn,
      accountId: "aws",
      policyName: name,
      policyId: newUniqueId(lab.random, "ANPA"),
      path: "/",
      description,
      createdAtMs,
      updatedAtMs: createdAtMs,
      defaultVersionId: "v1",
      versions: [{ versionId: "v1", document: JSON.stringify(document), createdAtMs }],
      lastVersionNumber: 1,
      tags: {},
    });
  }
}
