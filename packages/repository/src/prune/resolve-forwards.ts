import type { Finding } from "../check/check-plan.ts";
import { forwardName, packName, type ForwardName } from "../format/object-names.ts";
import { readForward } from "../point/forward-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { SessionState } from "./judge-sessions.ts";
import type { PlannedForward, PruneDependencies } from "./prune-plan.ts";

/** What becomes of the forwards of one pack. */
export interface ResolvedForwards {
  /** The move that speaks for the pack. */
  readonly winner: ForwardName | undefined;
  /** Its signature and its target have been looked at: what it replaces may go. */
  readonly isProven: boolean;
  readonly repairs: readonly ForwardName[];
  /** Of sessions that don't count yet: they suffice to explain a missing pack. */
  readonly pending: readonly ForwardName[];
  readonly deletes: readonly PlannedForward[];
  readonly findings: readonly Finding[];
}

export interface ForwardedPack {
  readonly forwards: readonly ForwardName[];
  /** Whether a root refers to the origin, or may do so. */
  readonly isWanted: boolean;
  readonly isListed: boolean;
  readonly stateOf: (session: string) => SessionState;
  readonly isFenced: (session: string) => boolean;
  /** Nothing is known for sure: only what is dead may go. */
  readonly isUnsettled: boolean;
}

/**
 * Only forwards of committed sessions count; of several moves of a pack the greatest name wins whose target exists, as
 * readers have it. A forward goes when it is beaten, when its session is dead, or when no root mentions the pack.
 */
export async function resolveForwards(
  pruner: PruneDependencies,
  pack: ForwardedPack,
  call: StoreCall,
): Promise<ResolvedForwards> {
  const sorted = sortForwards(pack);
  if (!pack.isWanted) {
    const unwanted = [...sorted.moves, ...sorted.repairs].map((each) => ({
      ...each,
      why: "unreferenced" as const,
    }));
    return { ...nothing, pending: sorted.pending, deletes: [...sorted.deletes, ...unwanted] };
  }
  const base = { ...nothing, repairs: sorted.repairs, pending: sorted.pending, deletes: sorted.deletes };
  if (sorted.moves.length === 0) return base;
  if (sorted.moves.length === 1 && !pack.isListed) return { ...base, winner: sorted.moves[0] };
  const findings: Finding[] = [];
  for (const winner of sorted.moves.toReversed()) {
    const fault = await faultOf(pruner, winner, call);
    if (fault === "foreign") findings.push(foreign(pruner, winner));
    if (fault !== undefined) continue;
    const beaten = sorted.moves.filter((each) => each !== winner && !isForeign(findings, pruner, each));
    const deletes = pack.isUnsettled ? [] : beaten.map((each) => ({ ...each, why: "beaten" as const }));
    return { ...base, winner, isProven: true, findings, deletes: [...sorted.deletes, ...deletes] };
  }
  return { ...base, winner: pack.isListed ? undefined : sorted.moves.at(-1), findings };
}

const nothing = {
  winner: undefined,
  isProven: false,
  repairs: [],
  pending: [],
  deletes: [],
  findings: [],
} as const;

function sortForwards(pack: ForwardedPack) {
  const moves: ForwardName[] = [];
  const repairs: ForwardName[] = [];
  const pending: ForwardName[] = [];
  const deletes: PlannedForward[] = [];
  for (const forward of pack.forwards) {
    const { session } = forward.target;
    const state = pack.stateOf(session);
    if (state === "dead") deletes.push({ ...forward, why: "dead" });
    else if (state === "moves") moves.push(forward);
    else if (state === "point" || state === "ended") repairs.push(forward);
    else {
      pending.push(forward);
      if (pack.isFenced(session)) deletes.push({ ...forward, why: "fenced" });
    }
  }
  return { moves, repairs, pending, deletes };
}

async function faultOf(
  pruner: PruneDependencies,
  forward: ForwardName,
  call: StoreCall,
): Promise<"foreign" | "targetless" | undefined> {
  if ((await readForward(pruner, forward, call)) === undefined) return "foreign";
  const target = packName(pruner.keys.domain, forward.kind, forward.target);
  for await (const object of pruner.store.list(target, call))
    return object.key === target ? undefined : "targetless";
  return "targetless";
}

function foreign(pruner: PruneDependencies, forward: ForwardName): Finding {
  const key = forwardName(pruner.keys.domain, forward);
  return {
    severity: "notice",
    code: "forward-foreign",
    key,
    message: "the keeper did not sign this forward",
  };
}

/** What nobody trusts is left for a person to look at. */
function isForeign(findings: readonly Finding[], pruner: PruneDependencies, forward: ForwardName): boolean {
  const key = forwardName(pruner.keys.domain, forward);
  return findings.some((finding) => finding.key === key);
}
