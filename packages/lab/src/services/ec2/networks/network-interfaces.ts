import type {
  CreateNetworkInterfaceCommandInput,
  DeleteNetworkInterfaceCommandInput,
  DescribeNetworkInterfacesCommandInput,
  NetworkInterface,
} from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter, notFound } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { networkInterfaceAccess, securityGroupAccess, subnetAccess } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { newMacAddress, takePrivateIp } from "./addresses.ts";
import { defaultNetwork } from "./default-network.ts";
import { findNetworkInterface, findSecurityGroup, findSubnet } from "./find-network.ts";
import type { NetworkInterfaceRecord } from "./network-records.ts";

const filters: FilterTable<NetworkInterfaceRecord> = {
  "network-interface-id": (nic) => nic.networkInterfaceId,
  "vpc-id": (nic) => nic.vpcId,
  "subnet-id": (nic) => nic.subnetId,
  "availability-zone": (nic) => nic.zone,
  "private-ip-address": (nic) => nic.privateIp,
  "addresses.private-ip-address": (nic) => nic.privateIp,
  "mac-address": (nic) => nic.macAddress,
  "group-id": (nic) => nic.securityGroupIds,
  description: (nic) => nic.description,
  status: (nic) => nic.status,
  "owner-id": (nic) => nic.accountId,
  "attachment.instance-id": (nic) => nic.attachment?.instanceId,
  "attachment.attachment-id": (nic) => nic.attachment?.attachmentId,
};

export function describeNetworkInterfaces(input: DescribeNetworkInterfacesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeNetworkInterfaces");
  const named = selectRecords(call, call.lab.ec2.tables.networkInterfaces, {
    named: input.NetworkInterfaceIds,
    missing: (id) => notFound("InvalidNetworkInterfaceID.NotFound", "network interface", id),
  });
  const page = pageRecords(
    filterRecords(named, input.Filters, filters),
    input,
    (nic) => nic.networkInterfaceId,
  );
  return {
    NetworkInterfaces: page.items.map((nic) => formatInterface(call, nic)),
    NextToken: page.NextToken,
  };
}

export function createNetworkInterface(input: CreateNetworkInterfaceCommandInput, call: Call): object {
  if (input.SubnetId === undefined) throw missingParameter("subnetId");
  const subnet = findSubnet(call, input.SubnetId);
  const groupIds = input.Groups?.length ? input.Groups : [defaultNetwork(call.lab, call).securityGroupId];
  const groups = groupIds.map((id) => findSecurityGroup(call, id));
  const tags = tagsFor(input.TagSpecifications, "network-interface");
  const { accountId } = call;
  const created = networkInterfaceAccess(call, { ...subnet, accountId });
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateNetworkInterface",
      resources: [
        created,
        subnetAccess(call, subnet),
        ...groups.map((group) => securityGroupAccess(call, group)),
      ],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CreateNetworkInterface", { resource: created, tags }),
  ]);
  const nic: NetworkInterfaceRecord = {
    networkInterfaceId: newResourceId(call.lab.random, "eni"),
    accountId,
    region: call.region,
    zone: subnet.zone,
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    privateIp: takePrivateIp(call.lab, subnet, input.PrivateIpAddress),
    macAddress: newMacAddress(call.lab),
    description: input.Description ?? "",
    securityGroupIds: groupIds,
    status: "available",
    tags,
  };
  call.lab.ec2.tables.networkInterfaces.put(nic.networkInterfaceId, nic);
  return { NetworkInterface: formatInterface(call, nic), ClientToken: input.ClientToken };
}

export function deleteNetworkInterface(input: DeleteNetworkInterfaceCommandInput, call: Call): object {
  if (input.NetworkInterfaceId === undefined) throw missingParameter("networkInterfaceId");
  const nic = findNetworkInterface(call, input.NetworkInterfaceId);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteNetworkInterface", resources: [networkInterfaceAccess(call, nic)] },
  ]);
  if (nic.status === "in-use") {
    throw new AwsError(
      "InvalidParameterValue",
      `Network interface '${nic.networkInterfaceId}' is currently in use.`,
    );
  }
  call.lab.ec2.tables.networkInterfaces.delete(nic.networkInterfaceId);
  return {};
}

function formatInterface(call: Call, nic: NetworkInterfaceRecord): NetworkInterface {
  const { attachment } = nic;
  return {
    NetworkInterfaceId: nic.networkInterfaceId,
    OwnerId: nic.accountId,
    VpcId: nic.vpcId,
    SubnetId: nic.subnetId,
    AvailabilityZone: nic.zone,
    Description: nic.description,
    InterfaceType: "interface",
    MacAddress: nic.macAddress,
    PrivateIpAddress: nic.privateIp,
    PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: nic.privateIp }],
    RequesterManaged: false,
    SourceDestCheck: true,
    Status: nic.status,
    Groups: nic.securityGroupIds.map((id) => ({
      GroupId: id,
      GroupName: call.lab.ec2.tables.securityGroups.get(id)?.groupName,
    })),
    TagSet: formatTags(nic.tags),
    ...(attachment === undefined
      ? {}
      : {
          Attachment: {
            AttachmentId: attachment.attachmentId,
            InstanceId: attachment.instanceId,
            InstanceOwnerId: nic.accountId,
            DeviceIndex: 0,
            Status: "attached",
            DeleteOnTermination: attachment.deleteOnTermination,
            AttachTime: new Date(attachment.attachedAtMs),
          },
        }),
  };
}
