import { listPoints } from "@garrison/repository/point/list-points";
import type { CliContext } from "../cli-context.ts";
import { formatPoints, type ListedPoint } from "./format-points.ts";
import { listDomains, openNamedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { kindOf, type PointKind } from "./require-kind.ts";

export interface ListFlags extends RepositoryFlags {
  readonly name?: string;
  readonly domain?: string;
  readonly json?: true;
}

/** Lists the restore points of one name, domain or kind, or all. */
export async function printPoints(flags: ListFlags, context: CliContext, kind?: PointKind): Promise<void> {
  using opened = await openNamedRepository(flags, context);
  const filter = flags.name === undefined ? {} : { series: flags.name };
  const points: ListedPoint[] = [];
  for (const keys of await listDomains(opened, flags.domain, context)) {
    const found = await listPoints({ store: opened.store, keys }, filter, context);
    const wanted = found.filter((point) => kind === undefined || kindOf(point) === kind);
    points.push(...wanted.map((point) => ({ domain: keys.domain, ...point })));
  }
  context.stdout.write(flags.json === true ? `${JSON.stringify({ points })}\n` : formatPoints(points));
}
