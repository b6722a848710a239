import { dayMs, formatSize } from "@garrison/core/units";
import { VerifiedShareCount, type VerifiedShare } from "@garrison/repository/check/verified-share";
import { packPrefix, wrapPrefix } from "@garrison/repository/format/object-names";
import { listPoints } from "@garrison/repository/point/list-points";
import { readRepositoryHeader } from "@garrison/repository/keys/repository-header";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "./format-points.ts";
import { listDomains, type OpenedRepository } from "./open-named-repository.ts";

export interface RepositoryStatus {
  readonly address: string;
  readonly repositoryId: string;
  readonly createdAt: string;
  readonly keyWraps: number;
  readonly domains: readonly DomainStatus[];
}

interface DomainStatus {
  readonly domain: string;
  readonly points: number;
  readonly series: number;
  readonly newestPointAt: string | undefined;
  readonly packs: number;
  readonly packBytes: number;
  readonly mapBytes: number;
  /** What checks have read whole, by their notes. */
  readonly verified: VerifiedShare;
}

/** What was read since then counts as verified lately. */
const verifiedDays = 30;

/** What is in a repository: counted by listing, nothing is downloaded but the records. */
export async function readRepositoryStatus(
  opened: OpenedRepository,
  context: CliContext,
): Promise<RepositoryStatus> {
  const { store } = opened;
  const header = await readRepositoryHeader(store, context);
  let keyWraps = 0;
  for await (const _ of store.list(wrapPrefix, context)) keyWraps++;
  const domains: DomainStatus[] = [];
  for (const keys of await listDomains(opened, undefined, context)) {
    const points = await listPoints({ store, keys }, {}, context);
    const newest = points.at(-1)?.createdAtMs;
    const since = context.clock.now() - verifiedDays * dayMs;
    const verified = await VerifiedShareCount.open({ store, keys }, since, context);
    const count = (kind: "pack" | "map") =>
      countObjects(opened, { prefix: packPrefix(keys.domain, kind, ""), verified }, context);
    const packs = await count("pack");
    const maps = await count("map");
    domains.push({
      domain: keys.domain,
      points: points.length,
      series: new Set(points.map((point) => point.series)).size,
      newestPointAt: newest === undefined ? undefined : new Date(newest).toISOString(),
      packs: packs.objects,
      packBytes: packs.bytes,
      mapBytes: maps.bytes,
      verified: verified.share(),
    });
  }
  const createdAt = new Date(header.createdAtMs).toISOString();
  return { address: store.address, repositoryId: header.repositoryId, createdAt, keyWraps, domains };
}

async function countObjects(
  opened: OpenedRepository,
  counted: { readonly prefix: string; readonly verified: VerifiedShareCount },
  context: CliContext,
) {
  let [objects, bytes] = [0, 0];
  for await (const object of opened.store.list(counted.prefix.replace(/\/+$/, "/"), context)) {
    counted.verified.add(object);
    objects++;
    bytes += object.sizeBytes;
  }
  return { objects, bytes };
}

export function formatStatus(status: RepositoryStatus): string {
  const head = `${status.address}\n  repository ${status.repositoryId}, made ${status.createdAt}, keys wrapped ${status.keyWraps} times\n`;
  if (status.domains.length === 0) return `${head}  nothing is stored yet\n`;
  const rows = status.domains.map((domain) => [
    domain.domain,
    String(domain.points),
    String(domain.series),
    domain.newestPointAt ?? "-",
    `${formatSize(domain.packBytes)} in ${domain.packs}`,
    formatSize(domain.mapBytes),
    formatShare(domain.verified),
    oldestRead(domain.verified),
  ]);
  return (
    head +
    formatTable([
      ["DOMAIN", "POINTS", "SERIES", "NEWEST", "PACKS", "MAPS", `READ IN ${verifiedDays} D`, "OLDEST READ"],
      ...rows,
    ])
  );
}

function formatShare({ bytes, recentBytes }: VerifiedShare): string {
  return bytes === 0 ? "-" : `${Math.floor((100 * recentBytes) / bytes)} %`;
}

function oldestRead({ neverBytes, oldestReadMs }: VerifiedShare): string {
  if (neverBytes > 0) return `${formatSize(neverBytes)} never`;
  return oldestReadMs === undefined ? "-" : new Date(oldestReadMs).toISOString().slice(0, 10);
}
