import type { CliContext } from "../cli-context.ts";
import { formatPoints } from "./format-points.ts";
import { listStoredPoints } from "./list-stored-points.ts";
import { openNamedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { kindOf, type PointKind } from "./require-kind.ts";

export interface ListFlags extends RepositoryFlags {
  readonly name?: string;
  readonly domain?: string;
  readonly json?: true;
}

/** Lists the restore points of one name, domain or kind, or all. */
export async function printPoints(flags: ListFlags, context: CliContext, kind?: PointKind): Promise<void> {
  using opened = await openNamedRepository(flags, context);
  const found = await listStoredPoints(opened, { domain: flags.domain, series: flags.name }, context);
  const points = found.filter((point) => kind === undefined || kindOf(point) === kind);
  context.stdout.write(flags.json === true ? `${JSON.stringify({ points })}\n` : formatPoints(points));
}
