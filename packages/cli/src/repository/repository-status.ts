import { formatSize } from "@garrison/core/units";
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
}

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
    const packs = await countObjects(opened, packPrefix(keys.domain, "pack", ""), context);
    const maps = await countObjects(opened, packPrefix(keys.domain, "map", ""), context);
    domains.push({
      domain: keys.domain,
      points: points.length,
      series: new Set(points.map((point) => point.series)).size,
      newestPointAt: newest === undefined ? undefined : new Date(newest).toISOString(),
      packs: packs.objects,
      packBytes: packs.bytes,
      mapBytes: maps.bytes,
    });
  }
  const createdAt = new Date(header.createdAtMs).toISOString();
  return { address: store.address, repositoryId: header.repositoryId, createdAt, keyWraps, domains };
}

async function countObjects(opened: OpenedRepository, prefix: string, context: CliContext) {
  let [objects, bytes] = [0, 0];
  for await (const object of opened.store.list(prefix.replace(/\/+$/, "/"), context)) {
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
  ]);
  return head + formatTable([["DOMAIN", "POINTS", "SERIES", "NEWEST", "PACKS", "MAPS"], ...rows]);
}
