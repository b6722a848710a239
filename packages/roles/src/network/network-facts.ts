/** What was read of the network that a worker is to be launched in: plain data, so that any network can be judged. */

/** A part that could be read, or the reason why it could not. */
export type Read<Value> = { readonly known: Value } | { readonly unread: string };

export interface RouteFact {
  /** A CIDR block or the id of a prefix list. */
  readonly destination: string;
  readonly target: string;
  readonly isBlackhole: boolean;
}

export interface RouteTableFact {
  readonly routeTableId: string;
  readonly routes: readonly RouteFact[];
}

export interface EndpointFact {
  readonly endpointId: string;
  /** The last part of the service's name: `sqs`. */
  readonly service: string;
  readonly type: "Interface" | "Gateway";
  readonly state: string;
  readonly hasPrivateDns: boolean;
  readonly subnetIds: readonly string[];
  readonly routeTableIds: readonly string[];
  readonly groupIds: readonly string[];
}

export interface GroupRule {
  readonly direction: "in" | "out";
  /** `tcp`, or `-1` for all. */
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  /** CIDR blocks, security groups and prefix lists that it is about. */
  readonly cidrs: readonly string[];
  readonly groupIds: readonly string[];
  readonly prefixListIds: readonly string[];
}

export interface GroupFact {
  readonly groupId: string;
  readonly rules: readonly GroupRule[];
}

export interface VcpuFacts {
  /** What the account may run On-Demand in the Region. */
  readonly limit: number;
  /** Of all instances that count against the limit. */
  readonly running: number;
  /** Of one worker. */
  readonly needed: number;
}

export interface NetworkFacts {
  readonly region: string;
  readonly subnetId: string;
  readonly subnetCidr: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly freeAddresses: number;
  readonly givesPublicAddress: boolean;
  /** The worker's. */
  readonly groupIds: readonly string[];
  readonly instanceType: string;
  readonly dns: Read<{ readonly support: boolean; readonly hostnames: boolean }>;
  /** The one that holds for the subnet. */
  readonly routeTable: Read<RouteTableFact>;
  /** State by id, of the NAT gateways that the routes lead to. */
  readonly natGateways: Read<Readonly<Record<string, string>>>;
  readonly endpoints: Read<readonly EndpointFact[]>;
  /** The worker's and the endpoints'. */
  readonly groups: Read<readonly GroupFact[]>;
  readonly isTypeOffered: Read<boolean>;
  readonly vcpus: Read<VcpuFacts>;
  /** The key of new volumes when they are encrypted by default; `aws/ebs` is AWS's own. */
  readonly defaultKey: Read<string | undefined>;
}
