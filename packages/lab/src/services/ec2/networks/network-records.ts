export interface DefaultNetworkRecord {
  readonly vpcId: string;
  /** By zone letter. */
  readonly subnetIds: Readonly<Record<string, string>>;
  readonly securityGroupId: string;
}

export interface VpcRecord {
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly cidr: string;
  readonly isDefault: boolean;
  /** Both on when absent, as in every default VPC. */
  readonly enableDnsSupport?: boolean;
  readonly enableDnsHostnames?: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SubnetRecord {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly cidr: string;
  readonly defaultForZone: boolean;
  readonly mapPublicIp: boolean;
  /** The last host number handed out. */
  readonly lastHost: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SecurityGroupRule {
  readonly ruleId: string;
  readonly egress: boolean;
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
  readonly groupId?: string;
  readonly prefixListId?: string;
  readonly description?: string;
}

export interface SecurityGroupRecord {
  readonly groupId: string;
  readonly groupName: string;
  readonly description: string;
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly rules: readonly SecurityGroupRule[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface NetworkInterfaceRecord {
  readonly networkInterfaceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly privateIp: string;
  readonly macAddress: string;
  readonly description: string;
  readonly securityGroupIds: readonly string[];
  readonly status: "available" | "in-use";
  /** Made and held by a VPC endpoint. */
  readonly vpcEndpointId?: string;
  readonly attachment?: {
    readonly attachmentId: string;
    readonly instanceId: string;
    readonly deleteOnTermination: boolean;
    readonly attachedAtMs: number;
  };
  readonly tags: Readonly<Record<string, string>>;
}

export interface Route {
  /** A CIDR block, or the id of a prefix list. */
  readonly destination: string;
  /** `local`, or the id of a gateway, NAT gateway, endpoint, interface or instance. */
  readonly target: string;
  readonly origin: "CreateRouteTable" | "CreateRoute";
}

export interface RouteTableAssociation {
  readonly associationId: string;
  /** Absent for the VPC's main table. */
  readonly subnetId?: string;
}

export interface RouteTableRecord {
  readonly routeTableId: string;
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly routes: readonly Route[];
  readonly associations: readonly RouteTableAssociation[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface InternetGatewayRecord {
  readonly internetGatewayId: string;
  readonly accountId: string;
  readonly region: string;
  readonly vpcId?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface NatGatewayRecord {
  readonly natGatewayId: string;
  readonly accountId: string;
  readonly region: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly isPublic: boolean;
  readonly state: "pending" | "available" | "deleting" | "deleted";
  readonly privateIp: string;
  readonly publicIp?: string;
  readonly createdAtMs: number;
  readonly deletedAtMs?: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface VpcEndpointRecord {
  readonly vpcEndpointId: string;
  readonly accountId: string;
  readonly region: string;
  readonly vpcId: string;
  /** `com.amazonaws.<region>.<service>` */
  readonly serviceName: string;
  readonly type: "Gateway" | "Interface";
  readonly state: "pending" | "available" | "deleting";
  readonly privateDns: boolean;
  /** S3 only: the VPC's own instances keep resolving the public address, for the gateway endpoint. */
  readonly privateDnsInboundOnly?: boolean;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly networkInterfaceIds: readonly string[];
  readonly routeTableIds: readonly string[];
  readonly policyDocument: string;
  readonly createdAtMs: number;
  readonly tags: Readonly<Record<string, string>>;
}
