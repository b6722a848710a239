import type { DescribeInstanceTypeOfferingsCommandInput } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { zoneLetters } from "../networks/default-network.ts";
import { zoneId } from "../networks/describe-networks.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { instanceTypes } from "./instance-types.ts";

interface Offering {
  readonly instanceType: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The lab offers all its types everywhere. */
export function describeInstanceTypeOfferings(
  input: DescribeInstanceTypeOfferingsCommandInput,
  call: Call,
): object {
  permitAny(call, input.DryRun, "ec2:DescribeInstanceTypeOfferings");
  const locationType = input.LocationType ?? "region";
  const zones = zoneLetters.map((letter) => `${call.region}${letter}`);
  const locations: Readonly<Partial<Record<string, readonly string[]>>> = {
    region: [call.region],
    "availability-zone": zones,
    "availability-zone-id": zones.map(zoneId),
  };
  const offerings = (locations[locationType] ?? []).flatMap((location) =>
    instanceTypes.map(({ name }) => ({ instanceType: name, location, tags: {} })),
  );
  const found = filterRecords(offerings, input.Filters, {
    "instance-type": (offering: Offering) => offering.instanceType,
    location: (offering: Offering) => offering.location,
  });
  const page = pageRecords(found, input, ({ instanceType, location }) => `${location}/${instanceType}`);
  return {
    InstanceTypeOfferings: page.items.map(({ instanceType, location }) => ({
      InstanceType: instanceType,
      LocationType: locationType,
      Location: location,
    })),
    NextToken: page.NextToken,
  };
}
