/**
 * What is needed to rebuild an instance; sealed into its restore points (their `description`). Plain JSON: what AWS did
 * not tell is absent. A field that changes its meaning takes another version.
 */
export interface InstanceRecipe {
  readonly version: 1;
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly takenAt: string;
  readonly imageId?: string;
  readonly imageName?: string;
  readonly instanceType: string;
  readonly architecture: string;
  readonly bootMode?: string;
  readonly virtualizationType: string;
  readonly hasEna: boolean;
  readonly sriovNetSupport?: string;
  readonly tpmSupport?: string;
  readonly uefiData?: string;
  readonly imdsSupport?: string;
  readonly rootDeviceName: string;
  readonly usageOperation: string;
  readonly platformDetails: string;
  readonly productCodes: readonly string[];
  readonly keyName?: string;
  readonly instanceProfileArn?: string;
  /** Base64, as EC2 keeps it. */
  readonly userData?: string;
  readonly availabilityZone: string;
  readonly tenancy?: string;
  readonly subnetId?: string;
  readonly securityGroupIds: readonly string[];
  readonly networkInterfaces: readonly RecipeInterface[];
  readonly metadataOptions?: RecipeMetadataOptions;
  readonly isEbsOptimized: boolean;
  readonly monitoring: boolean;
  readonly isTerminationProtected: boolean;
  readonly isStopProtected: boolean;
  readonly shutdownBehavior?: string;
  readonly cpuOptions?: { readonly coreCount?: number; readonly threadsPerCore?: number };
  readonly volumes: readonly RecipeVolume[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface RecipeInterface {
  readonly deviceIndex: number;
  readonly subnetId?: string;
  readonly privateIpAddress?: string;
  readonly secondaryPrivateIpAddresses: readonly string[];
  readonly ipv6Addresses: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly checksSourceDestination?: boolean;
  readonly description?: string;
}

export interface RecipeMetadataOptions {
  readonly httpTokens?: string;
  readonly httpPutResponseHopLimit?: number;
  readonly httpEndpoint?: string;
  readonly instanceMetadataTags?: string;
}

export interface RecipeVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly sizeGiB: number;
  readonly volumeType: string;
  readonly iops?: number;
  readonly throughputMiBps?: number;
  readonly isEncrypted: boolean;
  readonly kmsKeyArn?: string;
  readonly deletesOnTermination: boolean;
  readonly tags: Readonly<Record<string, string>>;
}
