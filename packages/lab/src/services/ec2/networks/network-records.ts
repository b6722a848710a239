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
  readonly attachment?: {
    readonly attachmentId: string;
    readonly instanceId: string;
    readonly deleteOnTermination: boolean;
    readonly attachedAtMs: number;
  };
  readonly tags: Readonly<Record<string, string>>;
}
