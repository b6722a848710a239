import { isGarrisonError } from "@garrison/core/garrison-error";
import { openBlockCrew } from "../blocks/block-crew.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import { coverForwarded } from "../repair/cover-forwarded.ts";
import {
  loadKnownLosses,
  noteLosses,
  nothingLost,
  type KnownLosses,
  type VolumeLoss,
} from "../repair/findings-note.ts";
import { packOf } from "../repair/lost-items.ts";
import type { StoreCall } from "../store/object-store.ts";
import { attributeLosses } from "./attribute-losses.ts";
import { checkContents } from "./check-contents.ts";
import { checkSmallObjects } from "./check-small-objects.ts";
import type { CheckDependencies, CheckPlan, DomainCheck, Finding } from "./check-plan.ts";
import { compareListing } from "./compare-listing.ts";
import { DamageList } from "./damage-list.ts";
import type { PackUnion } from "./pack-union.ts";
import { keeperOf } from "./keeper-of.ts";
import { MovedPacks } from "./moved-packs.ts";
import { PackReading } from "./pack-reading.ts";
import { recallLosses } from "./recall-losses.ts";
import { scanPoints, unionFrom } from "./scan-points.ts";
import { traceMoved } from "./trace-moved.ts";

/** What a check has looked at. */
export interface CheckSummary {
  readonly points: number;
  /** Packs that points refer to. */
  readonly packs: number;
  readonly packsRead: number;
  readonly bytesRead: number;
  /** With a budget: bytes that are still due. */
  readonly bytesDue: number;
  /** Volumes of points that have lost something. */
  readonly losses: readonly VolumeLoss[];
}

/**
 * Yields every finding and never stops at the first; damage to one pack is one finding, however many points it hits.
 *
 * `structure`: all records and tables are read, and what they refer to is there with the right size: one listing, and one
 * or two reads a point. `sample`: also a share of the packs is read whole, and all pages of the newest point of each series.
 * `full`: every page and block is opened and compared with its id, each table is counted again, and what no restore needs
 * is read, too; what points share is looked at once. `full` with a budget: only packs are read whole, those first that were
 * read longest ago.
 */
export async function* checkRepository(
  dependencies: CheckDependencies,
  plan: CheckPlan,
  call: StoreCall,
): AsyncGenerator<Finding, CheckSummary> {
  const keys = dependencies.repository.domainKeys(plan.domain);
  const crew = (dependencies.openCrew ?? openBlockCrew)(keys.idKey, { threads: plan.threads });
  try {
    const found = { damage: new DamageList(plan), moved: new MovedPacks() };
    return yield* checkDomain({ ...dependencies, keys, crew, plan, ...found }, call);
  } finally {
    await crew.close();
  }
}

async function* checkDomain(check: DomainCheck, call: StoreCall): AsyncGenerator<Finding, CheckSummary> {
  const { points, union } = yield* scanPoints(check, call);
  const known =
    check.memory === undefined ? nothingLost() : await loadKnownLosses({ ...check, ...check.memory }, call);
  const reading = await PackReading.open(check, call);
  for await (const round of listRounds(check, { points, union }, call)) {
    await check.moved.collect(check, round, call);
  }
  if (check.plan.budget !== undefined) {
    for await (const round of listRounds(check, { points, union }, call)) reading.count(round);
  }
  let packs = 0;
  for await (const round of listRounds(check, { points, union }, call)) {
    packs += round.size;
    await compareListing(check, round, call);
    await reading.readRound(round, call);
    recallLosses(check, { packs: known.lost.known(), round, reading });
  }
  await traceMoved(check, call);
  await coverForwarded(check, check.damage.lost, call);
  yield* readContents(check, { points, reading }, call);
  const losses: VolumeLoss[] = [];
  if (!check.damage.lost.isEmpty) {
    for await (const loss of attributeLosses(check, points, call)) losses.push(loss);
  }
  yield* check.damage.findings(check.plan.domain);
  await remember(check, { reading, known, losses }, call);
  return { points: points.length, packs, losses, ...reading.counts() };
}

/** Whoever may only read still gets the findings; they are not remembered then. */
async function remember(
  check: DomainCheck,
  checked: {
    readonly reading: PackReading;
    readonly known: KnownLosses;
    readonly losses: readonly VolumeLoss[];
  },
  call: StoreCall,
): Promise<void> {
  const keeper = keeperOf(check);
  if (keeper === undefined) return;
  const { reading, known, losses } = checked;
  try {
    await reading.note(call);
    const now = { lost: check.damage.lostToPoints(), volumes: losses };
    await noteLosses(keeper, { before: known, now }, call);
  } catch (error) {
    if (!isGarrisonError(error, "store-access-denied") && !isGarrisonError(error, "store-full")) throw error;
    keeper.logger.warn({ code: error.code }, "what was checked could not be noted");
  }
}

/** All packs that points refer to, as many at once as fit into memory. */
async function* listRounds(
  check: DomainCheck,
  first: { readonly points: readonly SlotAddress[]; readonly union: PackUnion },
  call: StoreCall,
): AsyncGenerator<PackUnion> {
  first.union.add(check.moved.table);
  yield first.union;
  for (let from = first.union.end; from !== undefined;) {
    const round = await unionFrom(check, { points: first.points, from }, call);
    round.add(check.moved.table);
    yield round;
    from = round.end;
  }
}

/** Everything that is found through the maps and not through the packs. */
async function* readContents(
  check: DomainCheck,
  scanned: { readonly points: readonly SlotAddress[]; readonly reading: PackReading },
  call: StoreCall,
): AsyncGenerator<Finding> {
  const { points, reading } = scanned;
  const { level, budget } = check.plan;
  const { unlisted } = reading;
  const isUnlisted = (address: Parameters<typeof packOf>[1]) => unlisted.has(packOf("pack", address));
  if (level === "full" && budget === undefined) {
    yield* checkSmallObjects(check, call);
    yield* checkContents(check, { points, opens: () => true }, call);
  } else if (!unlisted.isEmpty) {
    yield* checkContents(check, { points, opens: isUnlisted }, call);
  } else if (level === "sample") {
    yield* checkContents(check, { points: newestOfEach(points), opens: () => false }, call);
  }
}

function newestOfEach(points: readonly SlotAddress[]): readonly SlotAddress[] {
  return points.filter((point, index) => points[index + 1]?.series !== point.series);
}
