import { isGarrisonError } from "@garrison/core/garrison-error";
import { isObjectError } from "../store/is-object-error.ts";
import { readFooter } from "../backup/load-resume.ts";
import type { Finding } from "../check/check-plan.ts";
import { findForwarded, type Forward } from "../format/forward.ts";
import { forwardPrefix, parseForwardName, type ForwardName, type PackName } from "../format/object-names.ts";
import type { FooterEntry } from "../format/pack-container.ts";
import { readForward } from "../point/forward-reader.ts";
import { readSlot } from "../point/read-slot.ts";
import { movesSeriesHash } from "../keeper/keeper-session.ts";
import type { StoreCall } from "../store/object-store.ts";
import { nameOfPack, originKey, type LiveItems, type Survivors } from "./find-survivors.ts";
import type { MoveCandidate, PruneDependencies } from "./prune-plan.ts";

/** A pack to be emptied, with the packs whose addresses lead into it: itself, or those that were moved into it before. */
export interface MoveUnit {
  readonly candidate: MoveCandidate;
  readonly origins: readonly PackName[];
}

/** What is left of one origin, and where it lies in the pack that is to be emptied. */
export interface OriginSurvivors {
  readonly origin: PackName;
  readonly items: readonly {
    /** As in the address. */
    readonly offset: number;
    readonly entry: FooterEntry;
  }[];
}

/** Which origins each candidate holds items of. A candidate of moved items that no forward leads to any more is left out. */
export async function listUnits(
  pruner: PruneDependencies,
  candidates: readonly MoveCandidate[],
  call: StoreCall,
): Promise<readonly MoveUnit[]> {
  const moved = new Map<string, { readonly candidate: MoveCandidate; readonly origins: PackName[] }>();
  for (const candidate of candidates)
    if (candidate.isMoved) moved.set(originKey(candidate.kind, candidate), { candidate, origins: [] });
  const units: MoveUnit[] = candidates
    .filter((candidate) => !candidate.isMoved)
    .map((candidate) => ({ candidate, origins: [candidate] }));
  if (moved.size === 0) return units;
  for await (const winner of listWinners(pruner, call))
    moved.get(originKey(winner.kind, winner.target))?.origins.push(winner.origin);
  return [...units, ...[...moved.values()].filter((unit) => unit.origins.length > 0)];
}

/** Of each pack that was moved, the greatest forward of a session that counts. */
async function* listWinners(pruner: PruneDependencies, call: StoreCall): AsyncGenerator<ForwardName> {
  const series = movesSeriesHash(pruner.keys);
  const committed = new Map<string, boolean>();
  let winner: ForwardName | undefined;
  for (const kind of ["pack", "map"] as const) {
    for await (const object of pruner.store.list(forwardPrefix(pruner.keys.domain, kind), call)) {
      const forward = parseForwardName(object.key);
      if (forward === undefined) continue;
      const { session } = forward.target;
      if (!committed.has(session))
        committed.set(session, (await readSlot(pruner, { series, session }, call))?.state === "moves");
      if (committed.get(session) !== true) continue;
      const isSame =
        winner !== undefined && originKey(winner.kind, winner.origin) === originKey(kind, forward.origin);
      if (winner !== undefined && !isSame) yield winner;
      winner = forward;
    }
  }
  if (winner !== undefined) yield winner;
}

/**
 * Where the survivors of a unit lie. Nothing, when they are too many for it to be worth moving, when another pass was
 * first, or when something does not fit together (a finding): then the pack stays.
 */
export async function locateSurvivors(
  pruner: PruneDependencies,
  wanted: { readonly unit: MoveUnit; readonly survivors: Survivors; readonly repackBelow: number },
  call: StoreCall,
): Promise<{ readonly origins: readonly OriginSurvivors[] | undefined; readonly finding?: Finding }> {
  const { candidate, origins } = wanted.unit;
  const stays = (message: string) => {
    const key = nameOfPack(pruner, candidate);
    return {
      origins: undefined,
      finding: { severity: "damage", code: "pack-unmovable", key, message } as const,
    };
  };
  let footer: readonly FooterEntry[];
  try {
    footer = await readFooter(pruner, { address: candidate, sizeBytes: candidate.sizeBytes }, call);
  } catch (error) {
    if (isGarrisonError(error, "object-missing")) return { origins: undefined };
    if (isObjectError(error)) return stays(error.message);
    throw error;
  }
  const located: OriginSurvivors[] = [];
  for (const origin of origins) {
    const live = wanted.survivors.get(originKey(candidate.kind, origin)) ?? new Map<number, number>();
    const forward = candidate.isMoved ? await readForwardTo(pruner, { candidate, origin }, call) : undefined;
    if (candidate.isMoved && forward === undefined) return { origins: undefined };
    const items = locate({ footer, live, forward });
    if (items === undefined) return stays("a map refers to something in it that is no item");
    if (items.length > 0) located.push({ origin, items });
  }
  if (located.length === 0)
    return candidate.isMoved ? { origins: undefined } : stays("tables refer to it, and no page does");
  const count = located.reduce((total, each) => total + each.items.length, 0);
  return count >= footer.length * wanted.repackBelow ? { origins: undefined } : { origins: located };
}

function readForwardTo(
  pruner: PruneDependencies,
  way: { readonly candidate: MoveCandidate; readonly origin: PackName },
  call: StoreCall,
): Promise<Forward | undefined> {
  const { candidate, origin } = way;
  return readForward(pruner, { kind: candidate.kind, origin, target: candidate }, call);
}

function locate(pack: {
  readonly footer: readonly FooterEntry[];
  readonly live: LiveItems;
  readonly forward: Forward | undefined;
}): OriginSurvivors["items"] | undefined {
  const entries = new Map(pack.footer.map((entry) => [entry.offset, entry]));
  const items: { readonly offset: number; readonly entry: FooterEntry }[] = [];
  for (const [offset, length] of pack.live) {
    const { forward } = pack;
    const at = forward === undefined ? offset : findForwarded(forward, { offset, length })?.newOffset;
    const entry = at === undefined ? undefined : entries.get(at);
    if (entry === undefined || entry.length !== length) return undefined;
    items.push({ offset, entry });
  }
  return items.sort((left, right) => left.offset - right.offset);
}
