import type {
  DescribeAccountAttributesCommandInput,
  DescribeAvailabilityZonesCommandInput,
  DescribeRegionsCommandInput,
  DisableEbsEncryptionByDefaultCommandInput,
  EnableEbsEncryptionByDefaultCommandInput,
  GetEbsDefaultKmsKeyIdCommandInput,
  GetEbsEncryptionByDefaultCommandInput,
  ModifyEbsDefaultKmsKeyIdCommandInput,
} from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import { defaultNetwork, zoneLetters } from "../networks/default-network.ts";
import { zoneId } from "../networks/describe-networks.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { permitAny } from "../shared/permit.ts";
import { findVolumeKey } from "../volumes/volume-key.ts";

const regions = [
  "eu-central-1",
  "eu-west-1",
  "eu-north-1",
  "us-east-1",
  "us-east-2",
  "us-west-2",
  "ap-southeast-1",
];

export function describeRegions(input: DescribeRegionsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeRegions");
  const names = regions.includes(call.region) ? regions : [call.region, ...regions];
  const unknown = input.RegionNames?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalidParameter(`Invalid region provided: [${unknown}]`);
  const records = (input.RegionNames?.length ? input.RegionNames : names).map((name) => ({ name, tags: {} }));
  const filtered = filterRecords(records, input.Filters, {
    "region-name": (region: { readonly name: string }) => region.name,
    endpoint: (region: { readonly name: string }) => `ec2.${region.name}.amazonaws.com`,
    "opt-in-status": () => "opt-in-not-required",
  });
  return {
    Regions: filtered.map(({ name }) => ({
      RegionName: name,
      Endpoint: `ec2.${name}.amazonaws.com`,
      OptInStatus: "opt-in-not-required",
    })),
  };
}

export function describeAvailabilityZones(input: DescribeAvailabilityZonesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeAvailabilityZones");
  const zones = zoneLetters.map((letter) => ({ name: `${call.region}${letter}`, tags: {} }));
  const wanted = (zone: { readonly name: string }): boolean =>
    (!input.ZoneNames?.length || input.ZoneNames.includes(zone.name)) &&
    (!input.ZoneIds?.length || input.ZoneIds.includes(zoneId(zone.name)));
  const filtered = filterRecords(zones.filter(wanted), input.Filters, {
    "zone-name": (zone: { readonly name: string }) => zone.name,
    "zone-id": (zone: { readonly name: string }) => zoneId(zone.name),
    "region-name": () => call.region,
    state: () => "available",
    "zone-type": () => "availability-zone",
    "opt-in-status": () => "opt-in-not-required",
  });
  return {
    AvailabilityZones: filtered.map(({ name }) => ({
      ZoneName: name,
      ZoneId: zoneId(name),
      RegionName: call.region,
      State: "available",
      ZoneType: "availability-zone",
      OptInStatus: "opt-in-not-required",
      GroupName: `${call.region}-zg-1`,
      NetworkBorderGroup: call.region,
      Messages: [],
    })),
  };
}

export function describeAccountAttributes(input: DescribeAccountAttributesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeAccountAttributes");
  const values: Readonly<Record<string, string>> = {
    "supported-platforms": "VPC",
    "default-vpc": defaultNetwork(call.lab, call).vpcId,
    "max-instances": "20",
    "vpc-max-security-groups-per-interface": "5",
    "max-elastic-ips": "5",
    "vpc-max-elastic-ips": "5",
  };
  const wanted: readonly string[] = input.AttributeNames?.length ? input.AttributeNames : Object.keys(values);
  return {
    AccountAttributes: wanted.map((name) => {
      const value = values[name];
      if (value === undefined)
        throw invalidParameter(`Value (${name}) for parameter attributeName is invalid.`);
      return { AttributeName: name, AttributeValues: [{ AttributeValue: value }] };
    }),
  };
}

export function getEbsEncryptionByDefault(input: GetEbsEncryptionByDefaultCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:GetEbsEncryptionByDefault");
  return { EbsEncryptionByDefault: settingsOf(call).enabled, SseType: "sse-ebs" };
}

export function getEbsDefaultKmsKeyId(input: GetEbsDefaultKmsKeyIdCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:GetEbsDefaultKmsKeyId");
  return { KmsKeyId: settingsOf(call).kmsKeyId ?? "alias/aws/ebs" };
}

export function enableEbsEncryptionByDefault(
  input: EnableEbsEncryptionByDefaultCommandInput,
  call: Call,
): object {
  permitAny(call, input.DryRun, "ec2:EnableEbsEncryptionByDefault");
  return setEncryption(call, { enabled: true });
}

export function disableEbsEncryptionByDefault(
  input: DisableEbsEncryptionByDefaultCommandInput,
  call: Call,
): object {
  permitAny(call, input.DryRun, "ec2:DisableEbsEncryptionByDefault");
  return setEncryption(call, { enabled: false });
}

export function modifyEbsDefaultKmsKeyId(input: ModifyEbsDefaultKmsKeyIdCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:ModifyEbsDefaultKmsKeyId");
  if (input.KmsKeyId === undefined) throw missingParameter("KmsKeyId");
  const { arn, accountId } = findVolumeKey(call, input.KmsKeyId);
  if (accountId !== call.accountId)
    throw new AwsError("InvalidParameterValue", "The default key must belong to the account.");
  setEncryption(call, { kmsKeyId: arn });
  return { KmsKeyId: arn };
}

interface EncryptionSettings {
  readonly enabled: boolean;
  readonly kmsKeyId?: string;
}

function settingsOf(call: Call): EncryptionSettings {
  return call.lab.ec2.tables.ebsEncryption.get(`${call.accountId}/${call.region}`) ?? { enabled: false };
}

function setEncryption(call: Call, change: Partial<EncryptionSettings>): object {
  const settings = { ...settingsOf(call), ...change };
  call.lab.ec2.tables.ebsEncryption.put(`${call.accountId}/${call.region}`, settings);
  return { EbsEncryptionByDefault: settings.enabled };
}
