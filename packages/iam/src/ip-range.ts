/** Parses and compares addresses of IPv4 and IPv6; anything malformed is undefined, never a guess. */
export interface IpRange {
  readonly family: 4 | 6;
  readonly bits: bigint;
  readonly prefixLength: number;
}

export function parseIpRange(text: string): IpRange | undefined {
  const [address = "", prefix, ...rest] = text.trim().split("/");
  if (rest.length > 0) return undefined;
  const isV6 = address.includes(":");
  const bits = isV6 ? parseV6(address) : parseV4(address);
  if (bits === undefined) return undefined;
  const width = isV6 ? 128 : 32;
  const prefixLength = prefix === undefined ? width : parsePrefix(prefix, width);
  return prefixLength === undefined ? undefined : { family: isV6 ? 6 : 4, bits, prefixLength };
}

/** Whether every address of `inner` lies in `outer`. */
export function containsIpRange(outer: IpRange, inner: IpRange): boolean {
  if (outer.family !== inner.family || inner.prefixLength < outer.prefixLength) return false;
  const shift = BigInt((outer.family === 4 ? 32 : 128) - outer.prefixLength);
  return outer.bits >> shift === inner.bits >> shift;
}

function parsePrefix(text: string, width: number): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const length = Number(text);
  return length <= width ? length : undefined;
}

function parseV4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255)) {
    return undefined;
  }
  return octets.reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one half; a dotted IPv4 address at its end makes two. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [place, part] of parts.entries()) {
    if (part.includes(".")) {
      const bits = place === parts.length - 1 ? parseV4(part) : undefined;
      if (bits === undefined) return undefined;
      groups.push(Number(bits >> 16n), Number(bits & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
