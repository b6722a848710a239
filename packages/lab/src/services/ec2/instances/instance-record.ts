import type { _InstanceType, ArchitectureValues, InstanceStateName } from "@aws-sdk/client-ec2";

export interface InstanceProfileUse {
  readonly arn: string;
  readonly id: string;
  readonly associationId: string;
}

export interface MetadataSettings {
  readonly httpTokens: "optional" | "required";
  readonly httpPutResponseHopLimit: number;
  readonly httpEndpoint: "enabled" | "disabled";
  readonly instanceMetadataTags: "enabled" | "disabled";
}

export interface InstanceRecord {
  readonly instanceId: string;
  readonly reservationId: string;
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly imageId: string;
  readonly bootable: boolean;
  readonly instanceType: _InstanceType;
  readonly architecture: ArchitectureValues;
  readonly state: InstanceStateName;
  readonly stateReason?: { readonly code: string; readonly message: string };
  /** `User initiated (2026-11-24 00:31:07 GMT)` */
  readonly transitionReason: string;
  readonly launchedAtMs: number;
  readonly launchIndex: number;
  /** It won't run: its creator may not use the key of a volume. */
  readonly doomed?: boolean;
  readonly endedAtMs?: number;
  readonly keyName?: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly networkInterfaceId: string;
  readonly privateIp: string;
  readonly publicIp?: string;
  readonly macAddress: string;
  readonly securityGroupIds: readonly string[];
  readonly profile?: InstanceProfileUse;
  readonly metadata: MetadataSettings;
  readonly userData?: string;
  readonly shutdownBehavior: "stop" | "terminate";
  readonly disableApiTermination: boolean;
  readonly disableApiStop: boolean;
  readonly ebsOptimized: boolean;
  readonly sourceDestCheck: boolean;
  readonly rootDeviceName: string;
  readonly spotRequestId?: string;
  readonly cpuCredits?: string;
  readonly cpuOptions: { readonly coreCount: number; readonly threadsPerCore: number };
  readonly clientToken?: string;
  readonly monitoring: boolean;
  readonly bootMode?: string;
  readonly enaSupport: boolean;
  readonly tags: Readonly<Record<string, string>>;
}
