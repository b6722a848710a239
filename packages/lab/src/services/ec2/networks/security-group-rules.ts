import type {
  AuthorizeSecurityGroupEgressCommandInput,
  AuthorizeSecurityGroupIngressCommandInput,
  IpPermission,
  RevokedSecurityGroupRule,
  RevokeSecurityGroupEgressCommandInput,
  RevokeSecurityGroupIngressCommandInput,
  SecurityGroupRule as SecurityGroupRuleShape,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { securityGroupAccess } from "../shared/resource-access.ts";
import { readPermissions, sameRule } from "./ip-permissions.ts";
import { namedGroup } from "./named-group.ts";
import type { SecurityGroupRecord, SecurityGroupRule } from "./network-records.ts";

export function authorizeSecurityGroupIngress(
  input: AuthorizeSecurityGroupIngressCommandInput,
  call: Call,
): object {
  return addRules(call, input, { egress: false, action: "ec2:AuthorizeSecurityGroupIngress" });
}

export function authorizeSecurityGroupEgress(
  input: AuthorizeSecurityGroupEgressCommandInput,
  call: Call,
): object {
  return addRules(call, input, { egress: true, action: "ec2:AuthorizeSecurityGroupEgress" });
}

export function revokeSecurityGroupIngress(
  input: RevokeSecurityGroupIngressCommandInput,
  call: Call,
): object {
  return removeRules(call, input, { egress: false, action: "ec2:RevokeSecurityGroupIngress" });
}

export function revokeSecurityGroupEgress(input: RevokeSecurityGroupEgressCommandInput, call: Call): object {
  return removeRules(call, input, { egress: true, action: "ec2:RevokeSecurityGroupEgress" });
}

interface RulesInput {
  readonly DryRun?: boolean | undefined;
  readonly GroupId?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly IpPermissions?: IpPermission[] | undefined;
  readonly IpProtocol?: string | undefined;
  readonly FromPort?: number | undefined;
  readonly ToPort?: number | undefined;
  readonly CidrIp?: string | undefined;
  readonly SecurityGroupRuleIds?: string[] | undefined;
}

interface Direction {
  readonly egress: boolean;
  readonly action: string;
}

function addRules(call: Call, input: RulesInput, direction: Direction): object {
  const group = namedGroup(call, input);
  permit(call, input.DryRun, [{ action: direction.action, resources: [securityGroupAccess(call, group)] }]);
  const added = readPermissions(call.lab, permissionsOf(input), direction.egress);
  const known = added.find((rule) => group.rules.some((other) => sameRule(rule, other)));
  if (known !== undefined) {
    throw new AwsError("InvalidPermission.Duplicate", "the specified rule already exists");
  }
  call.lab.ec2.tables.securityGroups.put(group.groupId, { ...group, rules: [...group.rules, ...added] });
  return {
    Return: true,
    SecurityGroupRules: added.map((rule) => formatRule(group, rule)),
  };
}

/** The list form, or the older one with a single rule spread over the parameters. */
function permissionsOf(input: RulesInput): IpPermission[] {
  if (input.IpPermissions !== undefined && input.IpPermissions.length > 0) return input.IpPermissions;
  if (input.IpProtocol === undefined) throw missingParameter("ipPermissions");
  return [
    {
      IpProtocol: input.IpProtocol,
      FromPort: input.FromPort,
      ToPort: input.ToPort,
      IpRanges: input.CidrIp === undefined ? [] : [{ CidrIp: input.CidrIp }],
    },
  ];
}

/** Named by their ids, or by what they say; all of them have to be there. */
function removeRules(call: Call, input: RulesInput, { egress, action }: Direction): object {
  const group = namedGroup(call, input);
  permit(call, input.DryRun, [{ action, resources: [securityGroupAccess(call, group)] }]);
  const own = group.rules.filter((rule) => rule.egress === egress);
  const removed = input.SecurityGroupRuleIds?.length
    ? input.SecurityGroupRuleIds.map((id) => own.find(({ ruleId }) => ruleId === id) ?? noRule(id))
    : readPermissions(call.lab, permissionsOf(input), egress).map(
        (wanted) => own.find((rule) => sameRule(rule, wanted)) ?? noPermission(),
      );
  const rules = group.rules.filter((rule) => !removed.includes(rule));
  call.lab.ec2.tables.securityGroups.put(group.groupId, { ...group, rules });
  return { Return: true, RevokedSecurityGroupRules: removed.map((rule) => formatRevoked(group, rule)) };
}

function noRule(id: string): never {
  const message = `The security group rule ID '${id}' does not exist`;
  throw new AwsError("InvalidSecurityGroupRuleId.NotFound", message);
}

function noPermission(): never {
  const message = "The specified rule does not exist in this security group.";
  throw new AwsError("InvalidPermission.NotFound", message);
}

function formatRule(group: SecurityGroupRecord, rule: SecurityGroupRule): SecurityGroupRuleShape {
  return {
    SecurityGroupRuleId: rule.ruleId,
    GroupId: group.groupId,
    GroupOwnerId: group.accountId,
    IsEgress: rule.egress,
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort ?? -1,
    ToPort: rule.toPort ?? -1,
    CidrIpv4: rule.cidrIpv4,
    CidrIpv6: rule.cidrIpv6,
    PrefixListId: rule.prefixListId,
  };
}

function formatRevoked(group: SecurityGroupRecord, rule: SecurityGroupRule): RevokedSecurityGroupRule {
  const { GroupOwnerId: _owner, ...shape } = formatRule(group, rule);
  return { ...shape, ReferencedGroupId: rule.groupId };
}
