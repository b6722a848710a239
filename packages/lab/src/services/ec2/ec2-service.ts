import type { LabService, Operation } from "../../wire/operation-handler.ts";
import * as account from "./account/describe-account.ts";
import { createKeyPair, deleteKeyPair, describeKeyPairs } from "./account/key-pairs.ts";
import { describeImages } from "./images/describe-images.ts";
import { deregisterImage, registerImage } from "./images/register-image.ts";
import { startInstances, stopInstances, terminateInstances } from "./instances/change-instance-state.ts";
import {
  describeIamInstanceProfileAssociations,
  describeInstanceStatus,
  getConsoleOutput,
} from "./instances/describe-instance-status.ts";
import { describeInstances } from "./instances/describe-instances.ts";
import { describeInstanceAttribute, modifyInstanceAttribute } from "./instances/instance-attributes.ts";
import { describeInstanceTypes } from "./instances/instance-types.ts";
import { runInstances } from "./instances/run-instances.ts";
import { describeInstanceTypeOfferings } from "./instances/instance-type-offerings.ts";
import { deleteVpcEndpoints, modifyVpcEndpoint } from "./networks/change-vpc-endpoint.ts";
import { createVpcEndpoint } from "./networks/create-vpc-endpoint.ts";
import { describeSubnets, describeVpcs } from "./networks/describe-networks.ts";
import { describeVpcEndpoints } from "./networks/describe-vpc-endpoints.ts";
import * as internetGateways from "./networks/internet-gateways.ts";
import { createNatGateway, deleteNatGateway, describeNatGateways } from "./networks/nat-gateways.ts";
import { describeNetworkAcls } from "./networks/network-acls.ts";
import {
  createNetworkInterface,
  deleteNetworkInterface,
  describeNetworkInterfaces,
} from "./networks/network-interfaces.ts";
import { describePrefixLists } from "./networks/prefix-lists.ts";
import * as routeTables from "./networks/route-tables.ts";
import { createRoute, deleteRoute, replaceRoute } from "./networks/routes.ts";
import {
  authorizeSecurityGroupEgress,
  authorizeSecurityGroupIngress,
  revokeSecurityGroupEgress,
  revokeSecurityGroupIngress,
} from "./networks/security-group-rules.ts";
import {
  createSecurityGroup,
  deleteSecurityGroup,
  describeSecurityGroups,
} from "./networks/security-groups.ts";
import { createSubnet, deleteSubnet } from "./networks/subnets.ts";
import { describeVpcAttribute, modifyVpcAttribute } from "./networks/vpc-attributes.ts";
import { askBeforeMissing } from "./shared/missing-resource.ts";
import { createSnapshot, createSnapshots } from "./snapshots/create-snapshots.ts";
import { copySnapshot, deleteSnapshot } from "./snapshots/delete-snapshot.ts";
import { describeSnapshots } from "./snapshots/describe-snapshots.ts";
import { createTags, deleteTags, describeTags } from "./tags/change-tags.ts";
import { attachVolume, detachVolume } from "./volumes/attach-volume.ts";
import { createVolume, deleteVolume } from "./volumes/create-volume.ts";
import { describeVolumes } from "./volumes/describe-volumes.ts";

const operations: Readonly<Record<string, Operation>> = {
  AssociateRouteTable: routeTables.associateRouteTable,
  AttachInternetGateway: internetGateways.attachInternetGateway,
  AttachVolume: attachVolume,
  AuthorizeSecurityGroupEgress: authorizeSecurityGroupEgress,
  AuthorizeSecurityGroupIngress: authorizeSecurityGroupIngress,
  CopySnapshot: copySnapshot,
  CreateInternetGateway: internetGateways.createInternetGateway,
  CreateKeyPair: createKeyPair,
  CreateNatGateway: createNatGateway,
  CreateNetworkInterface: createNetworkInterface,
  CreateRoute: createRoute,
  CreateRouteTable: routeTables.createRouteTable,
  CreateSecurityGroup: createSecurityGroup,
  CreateSnapshot: createSnapshot,
  CreateSnapshots: createSnapshots,
  CreateSubnet: createSubnet,
  CreateTags: createTags,
  CreateVolume: createVolume,
  CreateVpcEndpoint: createVpcEndpoint,
  DeleteInternetGateway: internetGateways.deleteInternetGateway,
  DeleteKeyPair: deleteKeyPair,
  DeleteNatGateway: deleteNatGateway,
  DeleteNetworkInterface: deleteNetworkInterface,
  DeleteRoute: deleteRoute,
  DeleteRouteTable: routeTables.deleteRouteTable,
  DeleteSecurityGroup: deleteSecurityGroup,
  DeleteSnapshot: deleteSnapshot,
  DeleteSubnet: deleteSubnet,
  DeleteTags: deleteTags,
  DeleteVolume: deleteVolume,
  DeleteVpcEndpoints: deleteVpcEndpoints,
  DeregisterImage: deregisterImage,
  DescribeAccountAttributes: account.describeAccountAttributes,
  DescribeAvailabilityZones: account.describeAvailabilityZones,
  DescribeIamInstanceProfileAssociations: describeIamInstanceProfileAssociations,
  DescribeImages: describeImages,
  DescribeInstanceAttribute: describeInstanceAttribute,
  DescribeInstances: describeInstances,
  DescribeInstanceStatus: describeInstanceStatus,
  DescribeInstanceTypeOfferings: describeInstanceTypeOfferings,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeInternetGateways: internetGateways.describeInternetGateways,
  DescribeKeyPairs: describeKeyPairs,
  DescribeNatGateways: describeNatGateways,
  DescribeNetworkAcls: describeNetworkAcls,
  DescribeNetworkInterfaces: describeNetworkInterfaces,
  DescribePrefixLists: describePrefixLists,
  DescribeRegions: account.describeRegions,
  DescribeRouteTables: routeTables.describeRouteTables,
  DescribeSecurityGroups: describeSecurityGroups,
  DescribeSnapshots: describeSnapshots,
  DescribeSubnets: describeSubnets,
  DescribeTags: describeTags,
  DescribeVolumes: describeVolumes,
  DescribeVpcAttribute: describeVpcAttribute,
  DescribeVpcEndpoints: describeVpcEndpoints,
  DescribeVpcs: describeVpcs,
  DetachInternetGateway: internetGateways.detachInternetGateway,
  DetachVolume: detachVolume,
  DisableEbsEncryptionByDefault: account.disableEbsEncryptionByDefault,
  DisassociateRouteTable: routeTables.disassociateRouteTable,
  EnableEbsEncryptionByDefault: account.enableEbsEncryptionByDefault,
  GetConsoleOutput: getConsoleOutput,
  GetEbsDefaultKmsKeyId: account.getEbsDefaultKmsKeyId,
  GetEbsEncryptionByDefault: account.getEbsEncryptionByDefault,
  ModifyEbsDefaultKmsKeyId: account.modifyEbsDefaultKmsKeyId,
  ModifyInstanceAttribute: modifyInstanceAttribute,
  ModifyVpcAttribute: modifyVpcAttribute,
  ModifyVpcEndpoint: modifyVpcEndpoint,
  RegisterImage: registerImage,
  ReplaceRoute: replaceRoute,
  ReplaceRouteTableAssociation: routeTables.replaceRouteTableAssociation,
  RevokeSecurityGroupEgress: revokeSecurityGroupEgress,
  RevokeSecurityGroupIngress: revokeSecurityGroupIngress,
  RunInstances: runInstances,
  StartInstances: startInstances,
  StopInstances: stopInstances,
  TerminateInstances: terminateInstances,
};

export const ec2Service: LabService = {
  signingName: "ec2",
  async load() {
    const module = await import("@aws-sdk/client-ec2");
    return { module, client: new module.EC2Client({ region: "us-east-1" }) };
  },
  operations: Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, askBeforeMissing(name, operation)]),
  ),
  deniedCode: "UnauthorizedOperation",
};
