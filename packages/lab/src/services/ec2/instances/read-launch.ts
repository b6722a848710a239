import type { InstanceMetadataOptionsRequest, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { findKeyPair } from "../account/key-pairs.ts";
import { findImage } from "../images/find-image.ts";
import type { ImageRecord } from "../images/image-record.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { tagsFor } from "../tags/tag-specifications.ts";
import { findInstanceProfile } from "./instance-profile.ts";
import type { MetadataSettings } from "./instance-record.ts";
import { findInstanceType, type InstanceTypeFacts } from "./instance-types.ts";
import type { LaunchPlan, LaunchSettings } from "./launch-plan.ts";
import { readLaunchNetwork } from "./read-launch-network.ts";
import { readLaunchVolumes } from "./read-launch-volumes.ts";

const taggable = ["instance", "volume", "network-interface", "spot-instances-request"] as const;
const userDataBytes = 16 * 1024;

/** Reads and checks a RunInstances call. */
export function readLaunch(input: RunInstancesCommandInput, call: Call): LaunchPlan {
  if (input.LaunchTemplate !== undefined)
    throw new AwsError("UnsupportedOperation", "The lab has no launch templates.");
  if (input.MinCount === undefined) throw missingParameter("MinCount");
  if (input.MaxCount === undefined) throw missingParameter("MaxCount");
  if (input.MinCount < 1 || input.MaxCount < input.MinCount) {
    throw invalidParameter(
      "Maximum count must not be smaller than minimum count, and both must be positive.",
    );
  }
  const image = findImage(call, input.ImageId);
  const type = findInstanceType(input.InstanceType ?? "m5.large");
  checkArchitecture(image, type);
  const network = readLaunchNetwork(input, call);
  const tags = {
    instance: tagsFor(input.TagSpecifications, "instance", taggable),
    volume: tagsFor(input.TagSpecifications, "volume", taggable),
    networkInterface: tagsFor(input.TagSpecifications, "network-interface", taggable),
    spotRequest: tagsFor(input.TagSpecifications, "spot-instances-request", taggable),
  };
  const wantsProfile =
    input.IamInstanceProfile?.Arn !== undefined || input.IamInstanceProfile?.Name !== undefined;
  return {
    image,
    type,
    network,
    tags,
    volumes: readLaunchVolumes(input, call, { image, zone: network.subnet.zone, tags: tags.volume }),
    settings: readSettings(input, call, { image, type }),
    minCount: input.MinCount,
    maxCount: input.MaxCount,
    spot: readSpot(input),
    ...(input.KeyName === undefined ? {} : { keyPair: findKeyPair(call, input.KeyName) }),
    ...(wantsProfile ? { chosenProfile: findInstanceProfile(call, input.IamInstanceProfile!) } : {}),
  };
}

function checkArchitecture(image: ImageRecord, type: InstanceTypeFacts): void {
  if (image.architecture === type.architecture) return;
  throw invalidParameter(
    `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`,
  );
}

function readSettings(
  input: RunInstancesCommandInput,
  call: Call,
  { image, type }: { readonly image: ImageRecord; readonly type: InstanceTypeFacts },
): LaunchSettings {
  const cpuCredits = input.CreditSpecification?.CpuCredits ?? (type.burstable ? "unlimited" : undefined);
  const userData = readUserData(input.UserData);
  const shutdownBehavior = input.InstanceInitiatedShutdownBehavior ?? "stop";
  if (shutdownBehavior !== "stop" && shutdownBehavior !== "terminate") {
    throw invalidParameter(
      `Value (${String(shutdownBehavior)}) for parameter instanceInitiatedShutdownBehavior is invalid.`,
    );
  }
  return {
    accountId: call.accountId,
    region: call.region,
    metadata: readMetadata(input.MetadataOptions, image),
    shutdownBehavior,
    disableApiTermination: input.DisableApiTermination ?? false,
    disableApiStop: input.DisableApiStop ?? false,
    ebsOptimized: input.EbsOptimized ?? false,
    cpuOptions: {
      coreCount: input.CpuOptions?.CoreCount ?? Math.max(1, type.vcpus / 2),
      threadsPerCore: input.CpuOptions?.ThreadsPerCore ?? (type.vcpus > 1 ? 2 : 1),
    },
    monitoring: input.Monitoring?.Enabled ?? false,
    ...(userData === undefined ? {} : { userData }),
    ...(cpuCredits === undefined ? {} : { cpuCredits }),
    ...(input.ClientToken === undefined ? {} : { clientToken: input.ClientToken }),
  };
}

function readMetadata(
  options: InstanceMetadataOptionsRequest | undefined,
  image: ImageRecord,
): MetadataSettings {
  const onlyV2 = image.imdsSupport === "v2.0";
  const hops = options?.HttpPutResponseHopLimit ?? (onlyV2 ? 2 : 1);
  if (hops < 1 || hops > 64)
    throw invalidParameter(
      `Value (${hops}) for parameter httpPutResponseHopLimit is invalid. Valid range: 1 - 64`,
    );
  return {
    httpTokens: options?.HttpTokens ?? (onlyV2 ? "required" : "optional"),
    httpPutResponseHopLimit: hops,
    httpEndpoint: options?.HttpEndpoint ?? "enabled",
    instanceMetadataTags: options?.InstanceMetadataTags ?? "disabled",
  };
}

function readUserData(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64").replaceAll("=", "") !== text.replaceAll(/[=\s]/g, "")) {
    throw invalidParameter("Invalid BASE64 encoding of user data.");
  }
  if (bytes.length > userDataBytes) throw invalidParameter("User data is limited to 16384 bytes");
  return text;
}

function readSpot(input: RunInstancesCommandInput): boolean {
  const market = input.InstanceMarketOptions;
  if (market === undefined) return false;
  if (market.MarketType !== "spot")
    throw invalidParameter(`Value (${String(market.MarketType)}) for parameter marketType is invalid.`);
  const options = market.SpotOptions;
  const behavior = options?.InstanceInterruptionBehavior ?? "terminate";
  if ((options?.SpotInstanceType ?? "one-time") === "one-time" && behavior !== "terminate") {
    throw new AwsError(
      "InvalidParameterCombination",
      "One-time Spot requests only allow the interruption behavior terminate.",
    );
  }
  return true;
}
