import type { ImageRecord } from "../images/image-record.ts";
import type { KeyPairRecord } from "../account/key-pair-record.ts";
import type {
  NetworkInterfaceRecord,
  SecurityGroupRecord,
  SubnetRecord,
} from "../networks/network-records.ts";
import type { Tags } from "../tags/tag-specifications.ts";
import type { NewVolume } from "../volumes/make-volume.ts";
import type { ChosenProfile } from "./instance-profile.ts";
import type { InstanceRecord } from "./instance-record.ts";
import type { InstanceTypeFacts } from "./instance-types.ts";

export interface PlannedVolume {
  readonly deviceName: string;
  readonly deleteOnTermination: boolean;
  readonly volume: NewVolume;
}

export interface PlannedNetwork {
  readonly subnet: SubnetRecord;
  readonly groups: readonly SecurityGroupRecord[];
  /** An interface that exists already; otherwise one is made. */
  readonly existing?: NetworkInterfaceRecord;
  readonly privateIp?: string;
  readonly publicIp: boolean;
  readonly deleteOnTermination: boolean;
}

/** What a launch is told or takes from its image, the same for each of its instances. */
export type LaunchSettings = Pick<
  InstanceRecord,
  | "accountId"
  | "region"
  | "metadata"
  | "shutdownBehavior"
  | "disableApiTermination"
  | "disableApiStop"
  | "ebsOptimized"
  | "cpuOptions"
  | "monitoring"
> &
  Partial<Pick<InstanceRecord, "userData" | "cpuCredits" | "clientToken">>;

/** A RunInstances call, read and checked, before anything is authorised or made. */
export interface LaunchPlan {
  readonly image: ImageRecord;
  readonly type: InstanceTypeFacts;
  readonly network: PlannedNetwork;
  readonly volumes: readonly PlannedVolume[];
  readonly settings: LaunchSettings;
  readonly minCount: number;
  readonly maxCount: number;
  readonly spot: boolean;
  readonly keyPair?: KeyPairRecord;
  readonly chosenProfile?: ChosenProfile;
  readonly tags: {
    readonly instance: Tags;
    readonly volume: Tags;
    readonly networkInterface: Tags;
    readonly spotRequest: Tags;
  };
}
