import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import { seriesHash } from "@garrison/repository/format/object-names";
import { listPoints } from "@garrison/repository/point/list-points";
import { loadKnownLosses } from "@garrison/repository/repair/findings-note";
import type { CliContext } from "../cli-context.ts";
import type { ListedPoint } from "./format-points.ts";
import { listDomains, type OpenedRepository } from "./open-named-repository.ts";

/** The restore points of one domain or of all, with what is known to be lost of them. */
export async function listStoredPoints(
  opened: OpenedRepository,
  filter: { readonly domain?: string | undefined; readonly series?: string | undefined },
  context: CliContext,
): Promise<readonly ListedPoint[]> {
  const { store } = opened;
  const wanted = filter.series === undefined ? {} : { series: filter.series };
  const points: ListedPoint[] = [];
  for (const keys of await listDomains(opened, filter.domain, context)) {
    const found = await listPoints({ store, keys }, wanted, context);
    const { volumes } = await loadKnownLosses({ store, keys, logger: context.logger }, context);
    for (const point of found) {
      const series = seriesHash(keys, point.series);
      const lost = volumes.filter((each) => each.series === series && each.point === point.sessionId);
      const lostBytes = lost.reduce((total, each) => total + each.blocks * blockSizeBytes, 0);
      points.push({ domain: keys.domain, ...point, ...(lost.length === 0 ? {} : { lostBytes }) });
    }
  }
  return points;
}
