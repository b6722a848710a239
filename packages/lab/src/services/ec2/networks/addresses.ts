import type { Lab } from "../../../lab.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import { invalidParameter } from "../shared/ec2-errors.ts";
import type { SubnetRecord } from "./network-records.ts";

/** The address asked for, or the subnet's next free one. */
export function takePrivateIp(lab: Lab, subnet: SubnetRecord, wanted: string | undefined): string {
  const { networkInterfaces, subnets } = lab.ec2.tables;
  const used = new Set(
    [...networkInterfaces.values()]
      .filter((nic) => nic.subnetId === subnet.subnetId)
      .map((nic) => nic.privateIp),
  );
  if (wanted !== undefined) {
    if (!isInside(subnet.cidr, wanted))
      throw invalidParameter(`Address ${wanted} does not fall within the subnet's address range`);
    if (used.has(wanted)) throw new AwsError("InvalidIPAddress.InUse", `Address ${wanted} is in use.`);
    return wanted;
  }
  const { base, size } = parseCidr(subnet.cidr);
  const current = subnets.get(subnet.subnetId) ?? subnet;
  for (let tried = 0; tried < size; tried++) {
    // The first four and the last address of a subnet are AWS's.
    const host = 4 + ((current.lastHost - 4 + 1 + tried) % (size - 5));
    const address = formatAddress(base + host);
    if (used.has(address)) continue;
    subnets.put(subnet.subnetId, { ...current, lastHost: host });
    return address;
  }
  throw new AwsError(
    "InsufficientFreeAddressesInSubnet",
    `There are not enough free addresses in subnet '${subnet.subnetId}'.`,
  );
}

/** From a block that is set aside for documentation, so that it is nobody's. */
export function publicAddress(lab: Lab): string {
  return `203.0.113.${1 + (lab.random.bytes(1)[0]! % 254)}`;
}

export function newMacAddress(lab: Lab): string {
  const [a, b, c, d, e] = lab.random.bytes(5);
  return [0x02, a, b, c, d, e].map((byte) => (byte ?? 0).toString(16).padStart(2, "0")).join(":");
}

/** How many addresses of a subnet are free, as AWS counts. */
export function freeAddressCount(lab: Lab, subnet: SubnetRecord): number {
  const used = [...lab.ec2.tables.networkInterfaces.values()].filter(
    (nic) => nic.subnetId === subnet.subnetId,
  );
  return parseCidr(subnet.cidr).size - 5 - used.length;
}

export function parseCidr(cidr: string): { readonly base: number; readonly size: number } {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
  if (match === null || Number(match[2]) > 32)
    throw invalidParameter(
      `Value (${cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
    );
  return { base: parseAddress(match[1]!), size: 2 ** (32 - Number(match[2])) };
}

export function isInside(cidr: string, address: string): boolean {
  const { base, size } = parseCidr(cidr);
  const value = parseAddress(address);
  return value >= base && value < base + size;
}

function parseAddress(address: string): number {
  return address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
