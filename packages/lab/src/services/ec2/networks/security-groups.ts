import type {
  CreateSecurityGroupCommandInput,
  DeleteSecurityGroupCommandInput,
  DescribeSecurityGroupsCommandInput,
  SecurityGroup,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter, notFound } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { ownedRecords, selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { ec2Arn, securityGroupAccess, vpcArn } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { defaultNetwork } from "./default-network.ts";
import { findVpc } from "./find-network.ts";
import type { SecurityGroupRecord, SecurityGroupRule } from "./network-records.ts";
import { formatPermissions } from "./ip-permissions.ts";
import { namedGroup } from "./named-group.ts";

const filters: FilterTable<SecurityGroupRecord> = {
  "group-id": (group) => group.groupId,
  "group-name": (group) => group.groupName,
  description: (group) => group.description,
  "vpc-id": (group) => group.vpcId,
  "owner-id": (group) => group.accountId,
  "ip-permission.cidr": (group) =>
    group.rules.filter((rule) => !rule.egress).flatMap((rule) => rule.cidrIpv4 ?? []),
  "ip-permission.protocol": (group) =>
    group.rules.filter((rule) => !rule.egress).map((rule) => rule.protocol),
  "egress.ip-permission.cidr": (group) =>
    group.rules.filter((rule) => rule.egress).flatMap((rule) => rule.cidrIpv4 ?? []),
};

export function describeSecurityGroups(input: DescribeSecurityGroupsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeSecurityGroups");
  defaultNetwork(call.lab, call);
  const named = selectRecords(call, call.lab.ec2.tables.securityGroups, {
    named: input.GroupIds,
    missing: (id) => notFound("InvalidGroup.NotFound", "security group", id),
  });
  const byName = input.GroupNames?.length
    ? named.filter((group) => input.GroupNames!.includes(group.groupName))
    : named;
  const page = pageRecords(filterRecords(byName, input.Filters, filters), input, (group) => group.groupId);
  return { SecurityGroups: page.items.map((group) => formatGroup(call, group)), NextToken: page.NextToken };
}

export function createSecurityGroup(input: CreateSecurityGroupCommandInput, call: Call): object {
  const { GroupName: groupName, Description: description } = input;
  if (groupName === undefined) throw missingParameter("GroupName");
  if (description === undefined) throw missingParameter("GroupDescription");
  const vpcId = input.VpcId ?? defaultNetwork(call.lab, call).vpcId;
  const vpc = findVpc(call, vpcId);
  const tags = tagsFor(input.TagSpecifications, "security-group");
  const { tables } = call.lab.ec2;
  const groupId = newResourceId(call.lab.random, "sg");
  const context = { "ec2:Region": call.region, ...requestTagContext(tags) };
  const created = {
    arn: ec2Arn(call, { accountId: call.accountId, path: "security-group/*" }),
    accountId: call.accountId,
  };
  permit(call, input.DryRun, [
    { action: "ec2:CreateSecurityGroup", resources: [created], context },
    {
      action: "ec2:CreateSecurityGroup",
      resources: [{ arn: vpcArn(call, vpc), accountId: vpc.accountId, tags: vpc.tags }],
      context,
    },
    ...tagOnCreate(call, "CreateSecurityGroup", { resource: created, tags }),
  ]);
  if (
    ownedRecords(call, tables.securityGroups.values()).some(
      (group) => group.vpcId === vpcId && group.groupName === groupName,
    )
  ) {
    throw new AwsError(
      "InvalidGroup.Duplicate",
      `The security group '${groupName}' already exists for VPC '${vpcId}'`,
    );
  }
  const outbound: SecurityGroupRule = {
    ruleId: newResourceId(call.lab.random, "sgr"),
    egress: true,
    protocol: "-1",
    cidrIpv4: "0.0.0.0/0",
  };
  const { accountId, region } = call;
  tables.securityGroups.put(groupId, {
    groupId,
    groupName,
    description,
    vpcId,
    accountId,
    region,
    rules: [outbound],
    tags,
  });
  return {
    GroupId: groupId,
    SecurityGroupArn: ec2Arn(call, { accountId, path: `security-group/${groupId}` }),
    Tags: formatTags(tags),
  };
}

export function deleteSecurityGroup(input: DeleteSecurityGroupCommandInput, call: Call): object {
  const group = namedGroup(call, input);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteSecurityGroup", resources: [securityGroupAccess(call, group)] },
  ]);
  const { tables } = call.lab.ec2;
  if (group.groupName === "default")
    throw new AwsError(
      "CannotDelete",
      `the specified group: "${group.groupId}" name: "default" cannot be deleted by a user`,
    );
  const used = [...tables.networkInterfaces.values()].some((nic) =>
    nic.securityGroupIds.includes(group.groupId),
  );
  const named = [...tables.securityGroups.values()].some(
    (other) => other !== group && other.rules.some((rule) => rule.groupId === group.groupId),
  );
  if (used || named)
    throw new AwsError("DependencyViolation", `resource ${group.groupId} has a dependent object`);
  tables.securityGroups.delete(group.groupId);
  return { Return: true, GroupId: group.groupId };
}

function formatGroup(call: Call, group: SecurityGroupRecord): SecurityGroup {
  return {
    GroupId: group.groupId,
    GroupName: group.groupName,
    Description: group.description,
    OwnerId: group.accountId,
    VpcId: group.vpcId,
    SecurityGroupArn: ec2Arn(call, { accountId: group.accountId, path: `security-group/${group.groupId}` }),
    IpPermissions: formatPermissions(group, false),
    IpPermissionsEgress: formatPermissions(group, true),
    Tags: formatTags(group.tags),
  };
}
