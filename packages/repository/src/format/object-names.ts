import { createHmac, createSecretKey } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "../keys/keys.ts";

export const repositoryObjectName = "garrison";
export const wrapPrefix = "key/";

const domainPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const reservedDomains = new Set(["garrison", "key", "probe"]);

export function isDomainName(domain: string): boolean {
  return domainPattern.test(domain) && !reservedDomains.has(domain);
}

export function requireDomainName(domain: string): string {
  if (isDomainName(domain)) return domain;
  throw new GarrisonError(
    "usage",
    `"${domain}" can't name a domain: 1-63 of a-z 0-9 . _ - beginning with a letter or digit`,
  );
}

/** The keyed hash that stands for a series in object names: 32 hex digits, the same in all epochs. */
export function seriesHash(keys: Pick<DomainKeys, "epochs">, series: string): string {
  return createHmac("sha256", createSecretKey(keys.epochs[0]!.pointKey))
    .update("series\0")
    .update(series, "utf8")
    .digest("hex")
    .slice(0, 32);
}

/** Where a pack is, without its kind. */
export interface PackName {
  readonly session: string;
  readonly lane: string;
  readonly number: number;
}

export type PackKind = "pack" | "map";

/** From a pack to another one of its kind that holds items of it. */
export interface ForwardName {
  readonly kind: PackKind;
  readonly origin: PackName;
  readonly target: PackName;
}

const numberText = (number: number): string => number.toString(16).padStart(8, "0");
const laneNumber = (name: PackName): string => `${name.lane}-${numberText(name.number)}`;

export const sessionsPrefix = (domain: string): string => `${domain}/session/`;
export const sessionPrefix = (domain: string, session: string): string => `${domain}/session/${session}/`;
export const openName = (domain: string, session: string): string => `${domain}/session/${session}/open`;
export const basePrefix = (domain: string, session: string): string => `${domain}/session/${session}/base-`;
export const baseName = (domain: string, session: string, number: number): string =>
  `${basePrefix(domain, session)}${numberText(number)}`;
export const laneName = (domain: string, session: string, lane: string): string =>
  `${domain}/session/${session}/lane-${lane}`;
export const markPrefix = (domain: string, session: string): string => `${domain}/session/${session}/mark-`;
export const markName = (domain: string, name: PackName): string =>
  `${markPrefix(domain, name.session)}${laneNumber(name)}`;
/** Over the packs of all sessions. */
export const packFolder = (domain: string, kind: PackKind): string => `${domain}/${kind}/`;
export const packPrefix = (domain: string, kind: PackKind, session: string): string =>
  `${domain}/${kind}/${session}/`;
export const packName = (domain: string, kind: PackKind, name: PackName): string =>
  `${packPrefix(domain, kind, name.session)}${laneNumber(name)}`;
export const pointPrefix = (domain: string, series?: string): string =>
  series === undefined ? `${domain}/point/` : `${domain}/point/${series}/`;
export const pointName = (domain: string, series: string, session: string): string =>
  `${domain}/point/${series}/${session}`;
export const endPrefix = (domain: string, series?: string): string =>
  series === undefined ? `${domain}/end/` : `${domain}/end/${series}/`;
export const endName = (domain: string, series: string, session: string): string =>
  `${domain}/end/${series}/${session}`;
export const forwardsPrefix = (domain: string): string => `${domain}/moved/`;
export const forwardPrefix = (domain: string, kind: PackKind, session?: string): string =>
  session === undefined ? `${domain}/moved/${kind}/` : `${domain}/moved/${kind}/${session}/`;
/** Under the name of the pack whose items have gone elsewhere, the name of the pack that they are in now. */
export const forwardName = (domain: string, forward: ForwardName): string =>
  `${forwardPrefix(domain, forward.kind, forward.origin.session)}${laneNumber(forward.origin)}/` +
  `${forward.target.session}-${laneNumber(forward.target)}`;
export const allNotesPrefix = (domain: string): string => `${domain}/note/`;
export const notePrefix = (domain: string, kind: string): string => `${domain}/note/${kind}/`;
export const noteName = (domain: string, kind: string, id: string): string =>
  `${notePrefix(domain, kind)}${id}`;

const packPattern = /\/(pack|map)\/([0-9a-f]{16})\/([0-9a-f]{8})-([0-9a-f]{8})$/;
const markPattern = /\/session\/([0-9a-f]{16})\/mark-([0-9a-f]{8})-([0-9a-f]{8})$/;
const notePattern = /\/note\/([a-z]+)\/([0-9a-f]{16})$/;
const forwardPattern =
  /\/moved\/(pack|map)\/([0-9a-f]{16})\/([0-9a-f]{8})-([0-9a-f]{8})\/([0-9a-f]{16})-([0-9a-f]{8})-([0-9a-f]{8})$/;
const slotPattern = /\/(?:point|end)\/([0-9a-f]{32})\/([0-9a-f]{16})$/;

export function parsePackName(key: string): (PackName & { readonly kind: PackKind }) | undefined {
  const match = packPattern.exec(key);
  if (match === null) return undefined;
  const [, kind, session, lane, number] = match as unknown as [string, PackKind, string, string, string];
  return { kind, session, lane, number: Number.parseInt(number, 16) };
}

export function parseMarkName(key: string): PackName | undefined {
  const match = markPattern.exec(key);
  if (match === null) return undefined;
  return { session: match[1]!, lane: match[2]!, number: Number.parseInt(match[3]!, 16) };
}

export function parseForwardName(key: string): ForwardName | undefined {
  const match = forwardPattern.exec(key);
  if (match === null) return undefined;
  const nameAt = (at: number): PackName => ({
    session: match[at]!,
    lane: match[at + 1]!,
    number: Number.parseInt(match[at + 2]!, 16),
  });
  return { kind: match[1] as PackKind, origin: nameAt(2), target: nameAt(5) };
}

/** Parses names of slots and tombstones. */
export function parseSlotName(
  key: string,
): { readonly series: string; readonly session: string } | undefined {
  const match = slotPattern.exec(key);
  return match === null ? undefined : { series: match[1]!, session: match[2]! };
}

export function parseNoteName(key: string): { readonly kind: string; readonly id: string } | undefined {
  const match = notePattern.exec(key);
  return match === null ? undefined : { kind: match[1]!, id: match[2]! };
}

const repeatedPattern = /^[^/]+\/(pack|map|session)\//;

/** Names of which a second object would mean something else than the first: slots, tombstones, forwards, notes, keys. */
export function isDecisiveName(key: string): boolean {
  return !repeatedPattern.test(key);
}
