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
import { describeSubnets, describeVpcEndpoints, describeVpcs } from "./networks/describe-networks.ts";
import {
  createNetworkInterface,
  deleteNetworkInterface,
  describeNetworkInterfaces,
} from "./networks/network-interfaces.ts";
import {
  authorizeSecurityGroupEgress,
  authorizeSecurityGroupIngress,
  createSecurityGroup,
  deleteSecurityGroup,
  describeSecurityGroups,
} from "./networks/security-groups.ts";
import { askBeforeMissing } from "./shared/missing-resource.ts";
import { createSnapshot, createSnapshots } from "./snapshots/create-snapshots.ts";
import { copySnapshot, deleteSnapshot } from "./snapshots/delete-snapshot.ts";
import { describeSnapshots } from "./snapshots/describe-snapshots.ts";
import { createTags, deleteTags, describeTags } from "./tags/change-tags.ts";
import { attachVolume, detachVolume } from "./volumes/attach-volume.ts";
import { createVolume, deleteVolume } from "./volumes/create-volume.ts";
import { describeVolumes } from "./volumes/describe-volumes.ts";

const operations: Readonly<Record<string, Operation>> = {
  AttachVolume: attachVolume,
  AuthorizeSecurityGroupEgress: authorizeSecurityGroupEgress,
  AuthorizeSecurityGroupIngress: authorizeSecurityGroupIngress,
  CopySnapshot: copySnapshot,
  CreateKeyPair: createKeyPair,
  CreateNetworkInterface: createNetworkInterface,
  CreateSecurityGroup: createSecurityGroup,
  CreateSnapshot: createSnapshot,
  CreateSnapshots: createSnapshots,
  CreateTags: createTags,
  CreateVolume: createVolume,
  DeleteKeyPair: deleteKeyPair,
  DeleteNetworkInterface: deleteNetworkInterface,
  DeleteSecurityGroup: deleteSecurityGroup,
  DeleteSnapshot: deleteSnapshot,
  DeleteTags: deleteTags,
  DeleteVolume: deleteVolume,
  DeregisterImage: deregisterImage,
  DescribeAccountAttributes: account.describeAccountAttributes,
  DescribeAvailabilityZones: account.describeAvailabilityZones,
  DescribeIamInstanceProfileAssociations: describeIamInstanceProfileAssociations,
  DescribeImages: describeImages,
  DescribeInstanceAttribute: describeInstanceAttribute,
  DescribeInstances: describeInstances,
  DescribeInstanceStatus: describeInstanceStatus,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeKeyPairs: describeKeyPairs,
  DescribeNetworkInterfaces: describeNetworkInterfaces,
  DescribeRegions: account.describeRegions,
  DescribeSecurityGroups: describeSecurityGroups,
  DescribeSnapshots: describeSnapshots,
  DescribeSubnets: describeSubnets,
  DescribeTags: describeTags,
  DescribeVolumes: describeVolumes,
  DescribeVpcEndpoints: describeVpcEndpoints,
  DescribeVpcs: describeVpcs,
  DetachVolume: detachVolume,
  DisableEbsEncryptionByDefault: account.disableEbsEncryptionByDefault,
  EnableEbsEncryptionByDefault: account.enableEbsEncryptionByDefault,
  GetConsoleOutput: getConsoleOutput,
  GetEbsDefaultKmsKeyId: account.getEbsDefaultKmsKeyId,
  GetEbsEncryptionByDefault: account.getEbsEncryptionByDefault,
  ModifyEbsDefaultKmsKeyId: account.modifyEbsDefaultKmsKeyId,
  ModifyInstanceAttribute: modifyInstanceAttribute,
  RegisterImage: registerImage,
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
