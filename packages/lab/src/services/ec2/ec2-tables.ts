import type { Collection } from "../../state/collection.ts";
import type { LabState } from "../../state/lab-state.ts";
import type { ClientTokenRecord } from "./shared/client-tokens.ts";
import type { KeyPairRecord } from "./account/key-pair-record.ts";
import type { ImageRecord } from "./images/image-record.ts";
import type { InstanceRecord } from "./instances/instance-record.ts";
import type {
  DefaultNetworkRecord,
  InternetGatewayRecord,
  NatGatewayRecord,
  NetworkInterfaceRecord,
  RouteTableRecord,
  SecurityGroupRecord,
  SubnetRecord,
  VpcEndpointRecord,
  VpcRecord,
} from "./networks/network-records.ts";
import type { SnapshotRecord } from "./snapshots/snapshot-record.ts";
import type { VolumeRecord } from "./volumes/volume-record.ts";

/** EC2's journaled state: one collection a noun, keyed by resource id. */
export interface Ec2Tables {
  readonly instances: Collection<InstanceRecord>;
  readonly volumes: Collection<VolumeRecord>;
  readonly snapshots: Collection<SnapshotRecord>;
  readonly images: Collection<ImageRecord>;
  readonly vpcs: Collection<VpcRecord>;
  readonly subnets: Collection<SubnetRecord>;
  readonly securityGroups: Collection<SecurityGroupRecord>;
  readonly networkInterfaces: Collection<NetworkInterfaceRecord>;
  readonly routeTables: Collection<RouteTableRecord>;
  readonly internetGateways: Collection<InternetGatewayRecord>;
  readonly natGateways: Collection<NatGatewayRecord>;
  readonly vpcEndpoints: Collection<VpcEndpointRecord>;
  readonly keyPairs: Collection<KeyPairRecord>;
  /** Key `<account>/<region>`. */
  readonly defaultNetworks: Collection<DefaultNetworkRecord>;
  /** Key `<account>/<region>/<operation>/<token>`. */
  readonly clientTokens: Collection<ClientTokenRecord>;
  /** Key `<account>/<region>`; absent is off. */
  readonly ebsEncryption: Collection<{ readonly enabled: boolean; readonly kmsKeyId?: string }>;
  /** `token-key` -> hex. */
  readonly secrets: Collection<string>;
}

export function openEc2Tables(state: LabState): Ec2Tables {
  return {
    instances: state.collection("ec2.instances"),
    volumes: state.collection("ec2.volumes"),
    snapshots: state.collection("ec2.snapshots"),
    images: state.collection("ec2.images"),
    vpcs: state.collection("ec2.vpcs"),
    subnets: state.collection("ec2.subnets"),
    securityGroups: state.collection("ec2.security-groups"),
    networkInterfaces: state.collection("ec2.network-interfaces"),
    routeTables: state.collection("ec2.route-tables"),
    internetGateways: state.collection("ec2.internet-gateways"),
    natGateways: state.collection("ec2.nat-gateways"),
    vpcEndpoints: state.collection("ec2.vpc-endpoints"),
    keyPairs: state.collection("ec2.key-pairs"),
    defaultNetworks: state.collection("ec2.default-networks"),
    clientTokens: state.collection("ec2.client-tokens"),
    ebsEncryption: state.collection("ec2.ebs-encryption"),
    secrets: state.collection("ec2.secrets"),
  };
}
