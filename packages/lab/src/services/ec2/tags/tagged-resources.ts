import type { ResourceType } from "@aws-sdk/client-ec2";
import type { Collection } from "../../../state/collection.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import type { Ec2Tables } from "../ec2-tables.ts";
import { isForgotten } from "../instances/find-instance.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned, ownedRecords } from "../shared/owned-records.ts";
import {
  ec2Arn,
  imageAccess,
  instanceAccess,
  networkInterfaceAccess,
  securityGroupAccess,
  snapshotAccess,
  subnetAccess,
  volumeAccess,
  vpcArn,
} from "../shared/resource-access.ts";
import {
  internetGatewayAccess,
  natGatewayAccess,
  routeTableAccess,
  vpcEndpointAccess,
} from "../networks/network-access.ts";
import type { Tags } from "./tag-specifications.ts";

interface TaggedRecord {
  readonly accountId: string;
  readonly region: string;
  readonly tags: Tags;
}

/** How tags reach the records of one kind of resource. */
interface TaggableKind<Value extends TaggedRecord = TaggedRecord> {
  readonly type: ResourceType;
  readonly missing: string;
  table(tables: Ec2Tables): Collection<Value>;
  access(call: Call, record: Value): ResourceAccess;
}

function kind<Value extends TaggedRecord>(of: TaggableKind<Value>): TaggableKind {
  return of as unknown as TaggableKind;
}

/** By prefix of the id. */
const kinds: Readonly<Record<string, TaggableKind>> = {
  i: kind({
    type: "instance",
    missing: "InvalidInstanceID.NotFound",
    table: (tables) => tables.instances,
    access: (call, record) => instanceAccess(call, record),
  }),
  vol: kind({
    type: "volume",
    missing: "InvalidVolume.NotFound",
    table: (tables) => tables.volumes,
    access: (call, record) => volumeAccess(call, record),
  }),
  snap: kind({
    type: "snapshot",
    missing: "InvalidSnapshot.NotFound",
    table: (tables) => tables.snapshots,
    access: snapshotAccess,
  }),
  ami: kind({
    type: "image",
    missing: "InvalidAMIID.NotFound",
    table: (tables) => tables.images,
    access: imageAccess,
  }),
  subnet: kind({
    type: "subnet",
    missing: "InvalidSubnetID.NotFound",
    table: (tables) => tables.subnets,
    access: subnetAccess,
  }),
  sg: kind({
    type: "security-group",
    missing: "InvalidGroup.NotFound",
    table: (tables) => tables.securityGroups,
    access: securityGroupAccess,
  }),
  eni: kind({
    type: "network-interface",
    missing: "InvalidNetworkInterfaceID.NotFound",
    table: (tables) => tables.networkInterfaces,
    access: (call, record) => networkInterfaceAccess(call, record),
  }),
  vpc: kind({
    type: "vpc",
    missing: "InvalidVpcID.NotFound",
    table: (tables) => tables.vpcs,
    access: (call, vpc) => ({ arn: vpcArn(call, vpc), accountId: vpc.accountId, tags: vpc.tags }),
  }),
  rtb: kind({
    type: "route-table",
    missing: "InvalidRouteTableID.NotFound",
    table: (tables) => tables.routeTables,
    access: (call, record) => routeTableAccess(call, record),
  }),
  igw: kind({
    type: "internet-gateway",
    missing: "InvalidInternetGatewayID.NotFound",
    table: (tables) => tables.internetGateways,
    access: (call, record) => internetGatewayAccess(call, record),
  }),
  nat: kind({
    type: "natgateway",
    missing: "NatGatewayNotFound",
    table: (tables) => tables.natGateways,
    access: (call, record) => natGatewayAccess(call, record),
  }),
  vpce: kind({
    type: "vpc-endpoint",
    missing: "InvalidVpcEndpointId.NotFound",
    table: (tables) => tables.vpcEndpoints,
    access: (call, record) => vpcEndpointAccess(call, record),
  }),
  key: kind({
    type: "key-pair",
    missing: "InvalidKeyPair.NotFound",
    table: (tables) => tables.keyPairs,
    access: (call, pair) => ({
      arn: ec2Arn(call, { accountId: pair.accountId, path: `key-pair/${pair.keyName}` }),
      accountId: pair.accountId,
      tags: pair.tags,
    }),
  }),
};

/** One resource as CreateTags and DeleteTags see it. */
export interface TaggedResource {
  readonly id: string;
  readonly type: ResourceType;
  readonly tags: Tags;
  readonly access: ResourceAccess;
  retag(tags: Tags): void;
}

export function findTagged(call: Call, id: string): TaggedResource {
  const found = kinds[id.slice(0, id.indexOf("-"))];
  if (found === undefined) throw new AwsError("InvalidID", `The ID '${id}' is not valid`);
  const table = found.table(call.lab.ec2.tables);
  const record = table.get(id);
  if (!isOwned(call, record)) throw new MissingResource(found.missing, `The ID '${id}' does not exist`, id);
  return {
    id,
    type: found.type,
    tags: record.tags,
    access: found.access(call, record),
    retag: (tags) => table.put(id, { ...record, tags }),
  };
}

export interface TagLine {
  readonly id: string;
  readonly type: ResourceType;
  readonly key: string;
  readonly value: string;
  readonly tags: Tags;
}

/** Every tag of the caller's resources, one a line. */
export function listTags(call: Call): TagLine[] {
  const { tables } = call.lab.ec2;
  return Object.values(kinds).flatMap((one) => {
    const table = one.table(tables);
    const owned = new Set<unknown>(ownedRecords(call, table.values()));
    const lines = [...table.entries()].filter(([, record]) => owned.has(record));
    return lines.flatMap(([id, { tags }]) => {
      const instance = tables.instances.get(id);
      if (instance !== undefined && isForgotten(call, instance)) return [];
      return Object.entries(tags).map(([key, value]) => ({ id, type: one.type, key, value, tags: {} }));
    });
  });
}
