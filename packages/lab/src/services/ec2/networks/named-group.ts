import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter, notFound } from "../shared/ec2-errors.ts";
import { isOwned } from "../shared/owned-records.ts";
import { defaultNetwork } from "./default-network.ts";
import { findSecurityGroup } from "./find-network.ts";
import type { SecurityGroupRecord } from "./network-records.ts";

interface GroupInput {
  readonly GroupId?: string | undefined;
  readonly GroupName?: string | undefined;
}

/** The group by its id, or of the default VPC by its name. */
export function namedGroup(call: Call, input: GroupInput): SecurityGroupRecord {
  if (input.GroupId !== undefined) return findSecurityGroup(call, input.GroupId);
  if (input.GroupName === undefined) throw missingParameter("groupId");
  const { vpcId } = defaultNetwork(call.lab, call);
  const groups = [...call.lab.ec2.tables.securityGroups.values()];
  const group = groups.find(
    (one) => isOwned(call, one) && one.vpcId === vpcId && one.groupName === input.GroupName,
  );
  if (group === undefined) throw notFound("InvalidGroup.NotFound", "security group", input.GroupName);
  return group;
}
