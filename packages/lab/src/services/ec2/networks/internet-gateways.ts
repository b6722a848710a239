import type {
  AttachInternetGatewayCommandInput,
  CreateInternetGatewayCommandInput,
  DeleteInternetGatewayCommandInput,
  DescribeInternetGatewaysCommandInput,
  DetachInternetGatewayCommandInput,
  InternetGateway,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { defaultNetwork } from "./default-network.ts";
import { findInternetGateway, findVpc, noInternetGateway } from "./find-network.ts";
import { internetGatewayAccess, vpcAccess } from "./network-access.ts";
import type { InternetGatewayRecord } from "./network-records.ts";

const filters: FilterTable<InternetGatewayRecord> = {
  "internet-gateway-id": (gateway) => gateway.internetGatewayId,
  "attachment.vpc-id": (gateway) => gateway.vpcId,
  "attachment.state": (gateway) => (gateway.vpcId === undefined ? undefined : "available"),
  "owner-id": (gateway) => gateway.accountId,
};

export function describeInternetGateways(input: DescribeInternetGatewaysCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeInternetGateways");
  defaultNetwork(call.lab, call);
  const named = selectRecords(call, call.lab.ec2.tables.internetGateways, {
    named: input.InternetGatewayIds,
    missing: noInternetGateway,
  });
  const found = filterRecords(named, input.Filters, filters);
  const page = pageRecords(found, input, (gateway) => gateway.internetGatewayId);
  return { InternetGateways: page.items.map(formatGateway), NextToken: page.NextToken };
}

export function createInternetGateway(input: CreateInternetGatewayCommandInput, call: Call): object {
  const tags = tagsFor(input.TagSpecifications, "internet-gateway");
  const created = internetGatewayAccess(call);
  permit(call, input.DryRun, [
    { action: "ec2:CreateInternetGateway", resources: [created], context: requestTagContext(tags) },
    ...tagOnCreate(call, "CreateInternetGateway", { resource: created, tags }),
  ]);
  const internetGatewayId = newResourceId(call.lab.random, "igw");
  const { accountId, region } = call;
  const gateway = { internetGatewayId, accountId, region, tags };
  call.lab.ec2.tables.internetGateways.put(internetGatewayId, gateway);
  return { InternetGateway: formatGateway(gateway) };
}

export function attachInternetGateway(input: AttachInternetGatewayCommandInput, call: Call): object {
  const gateway = openAttachment(input, call, "ec2:AttachInternetGateway");
  const { internetGatewayId } = gateway;
  const table = call.lab.ec2.tables.internetGateways;
  if (gateway.vpcId !== undefined) {
    const message = `resource ${internetGatewayId} is already attached to network ${gateway.vpcId}`;
    throw new AwsError("Resource.AlreadyAssociated", message);
  }
  if ([...table.values()].some(({ vpcId }) => vpcId === input.VpcId)) {
    const message = `Network ${input.VpcId} already has an internet gateway attached`;
    throw new AwsError("InvalidParameterValue", message);
  }
  table.put(internetGatewayId, { ...gateway, vpcId: input.VpcId! });
  return {};
}

export function detachInternetGateway(input: DetachInternetGatewayCommandInput, call: Call): object {
  const { vpcId, ...gateway } = openAttachment(input, call, "ec2:DetachInternetGateway");
  if (vpcId !== input.VpcId) {
    const message = `resource ${gateway.internetGatewayId} is not attached to network ${input.VpcId}`;
    throw new AwsError("Gateway.NotAttached", message);
  }
  const inUse = [...call.lab.ec2.tables.instances.values()].some(
    (instance) =>
      instance.vpcId === vpcId && instance.publicIp !== undefined && instance.state !== "terminated",
  );
  if (inUse) {
    const message = `Network ${vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`;
    throw new AwsError("DependencyViolation", message);
  }
  call.lab.ec2.tables.internetGateways.put(gateway.internetGatewayId, gateway);
  return {};
}

export function deleteInternetGateway(input: DeleteInternetGatewayCommandInput, call: Call): object {
  if (input.InternetGatewayId === undefined) throw missingParameter("internetGatewayId");
  const gateway = findInternetGateway(call, input.InternetGatewayId);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteInternetGateway", resources: [internetGatewayAccess(call, gateway)] },
  ]);
  if (gateway.vpcId !== undefined) {
    const message = `The internetGateway '${gateway.internetGatewayId}' has dependencies and cannot be deleted.`;
    throw new AwsError("DependencyViolation", message);
  }
  call.lab.ec2.tables.internetGateways.delete(gateway.internetGatewayId);
  return {};
}

function openAttachment(
  input: AttachInternetGatewayCommandInput,
  call: Call,
  action: string,
): InternetGatewayRecord {
  if (input.InternetGatewayId === undefined) throw missingParameter("internetGatewayId");
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  const gateway = findInternetGateway(call, input.InternetGatewayId);
  const vpc = findVpc(call, input.VpcId);
  const resources = [internetGatewayAccess(call, gateway), vpcAccess(call, vpc)];
  permit(call, input.DryRun, [{ action, resources }]);
  return gateway;
}

function formatGateway(gateway: InternetGatewayRecord): InternetGateway {
  const { internetGatewayId, accountId, vpcId, tags } = gateway;
  return {
    InternetGatewayId: internetGatewayId,
    OwnerId: accountId,
    // `available` is what AWS says here, though its model has other words.
    Attachments: vpcId === undefined ? [] : [{ VpcId: vpcId, State: "available" as "attached" }],
    Tags: formatTags(tags),
  };
}
