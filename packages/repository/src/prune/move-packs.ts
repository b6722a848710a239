import { isGarrisonError } from "@garrison/core/garrison-error";
import { isTableDamage } from "../point/is-table-damage.ts";
import type { Finding } from "../check/check-plan.ts";
import { packPrefix, parsePackName, type ForwardName, type PackKind } from "../format/object-names.ts";
import type { MarkPack } from "../format/session-objects.ts";
import { commitMoves, openKeeperSession, type KeeperSession } from "../keeper/keeper-session.ts";
import type { StoreCall } from "../store/object-store.ts";
import { findSurvivors, nameOfPack, originKey, type Survivors } from "./find-survivors.ts";
import { listUnits, locateSurvivors, type MoveUnit, type OriginSurvivors } from "./gather-units.ts";
import { MovedPackWriter } from "./moved-pack-writer.ts";
import type { MoveCandidate, PruneDependencies, PrunePlan } from "./prune-plan.ts";

export interface MoveResult {
  /** Packs whose survivors are elsewhere now, under a session that counts: they may go. */
  readonly sources: readonly MoveCandidate[];
  /** Forwards that lead into them: new ones from the same origins have taken their place. */
  readonly beaten: readonly ForwardName[];
  readonly bytesMoved: number;
  readonly findings: readonly Finding[];
}

interface LocatedUnit {
  readonly unit: MoveUnit;
  readonly origins: readonly OriginSurvivors[];
}

// Items that the maps of a batch are searched for: about 100 bytes of memory each.
const batchItems = 400_000;

/**
 * Step 6. In batches of bounded memory: finds the survivors of the candidates, copies them as they are into packs of a
 * session of its own, writes their forwards and commits the session. New references come only out of what is held, so
 * that the survivors found are all that anybody can ever need; and as long as the session has not committed, all is as it
 * was.
 */
export async function movePacks(
  pruner: PruneDependencies,
  plan: PrunePlan,
  call: StoreCall,
): Promise<MoveResult> {
  const results: MoveResult[] = [];
  const units = await listUnits(pruner, plan.moves.candidates, call);
  let after = plan.newestMoves;
  for (const batch of cutBatches(units)) {
    pruner.onProgress?.({ step: "moves", done: results.length });
    const located = await findBatch(pruner, { plan, batch }, call);
    if (located.units.length === 0) {
      results.push({ ...nothing, findings: located.findings });
      if (located.isOver) break;
      continue;
    }
    const moved = await moveBatch(pruner, { ...located, after }, call);
    after = moved.session;
    results.push({ ...moved, findings: [...located.findings, ...moved.findings] });
  }
  return {
    sources: results.flatMap((each) => each.sources),
    beaten: results.flatMap((each) => each.beaten),
    bytesMoved: results.reduce((total, each) => total + each.bytesMoved, 0),
    findings: results.flatMap((each) => each.findings),
  };
}

const nothing: MoveResult = { sources: [], beaten: [], bytesMoved: 0, findings: [] };

function* cutBatches(units: readonly MoveUnit[]): Generator<readonly MoveUnit[]> {
  let batch: MoveUnit[] = [];
  let items = 0;
  for (const unit of units) {
    if (batch.length > 0 && items + unit.candidate.references > batchItems) {
      yield batch;
      [batch, items] = [[], 0];
    }
    batch.push(unit);
    items += unit.candidate.references;
  }
  if (batch.length > 0) yield batch;
}

interface LocatedBatch {
  readonly units: readonly LocatedUnit[];
  readonly findings: readonly Finding[];
  /** What the roots need is not known any more: nothing is moved in this pass. */
  readonly isOver: boolean;
}

async function findBatch(
  pruner: PruneDependencies,
  { plan, batch }: { readonly plan: PrunePlan; readonly batch: readonly MoveUnit[] },
  call: StoreCall,
): Promise<LocatedBatch> {
  const survivors: Survivors = new Map();
  for (const { candidate, origins } of batch)
    for (const origin of origins) survivors.set(originKey(candidate.kind, origin), new Map());
  try {
    const isKnown = await findSurvivors(pruner, { roots: plan.roots, survivors }, call);
    if (!isKnown) return stopped("a restore point has been reclaimed since the plan was made");
  } catch (error) {
    if (!isTableDamage(error)) throw error;
    return stopped(error.message);
  }
  const units: LocatedUnit[] = [];
  const findings: Finding[] = [];
  for (const unit of batch) {
    const wanted = { unit, survivors, repackBelow: plan.repackBelow };
    const { origins, finding } = await locateSurvivors(pruner, wanted, call);
    if (finding !== undefined) findings.push(finding);
    if (origins !== undefined) units.push({ unit, origins });
  }
  return { units, findings, isOver: false };

  function stopped(reason: string): LocatedBatch {
    const message = `nothing is moved in this pass: ${reason}`;
    const finding = { severity: "notice", code: "moves-stopped", key: pruner.keys.domain, message } as const;
    return { units: [], findings: [finding], isOver: true };
  }
}

async function moveBatch(
  pruner: PruneDependencies,
  batch: { readonly units: readonly LocatedUnit[]; readonly after: string | undefined },
  call: StoreCall,
): Promise<MoveResult & { readonly session: string }> {
  const after = greatestOf([batch.after, ...batch.units.map(({ unit }) => movedBy(unit))]);
  const session = await openKeeperSession(
    pruner,
    { bases: [], ...(after === undefined ? {} : { after }) },
    call,
  );
  const writers: Partial<Record<PackKind, MovedPackWriter>> = {};
  const moved: MoveUnit[] = [];
  for (const { unit, origins } of batch.units) {
    const { kind } = unit.candidate;
    const writer = (writers[kind] ??= new MovedPackWriter(pruner, { session, kind }, call));
    if (await copyUnit(writer, nameOfPack(pruner, unit.candidate), origins)) moved.push(unit);
  }
  const open = Object.values(writers);
  for (const writer of open) await writer.close();
  const packs = open.flatMap((writer) => writer.packs);
  const failure =
    (await findMissing(pruner, { session, packs }, call)) ?? (await commit(pruner, { session, packs }, call));
  if (failure !== undefined) {
    const finding = {
      severity: "notice",
      code: "moves-stopped",
      key: session.sessionId,
      message: failure,
    } as const;
    return { ...nothing, findings: [finding], session: session.sessionId };
  }
  return {
    sources: moved.map((unit) => unit.candidate),
    beaten: moved.flatMap(({ candidate, origins }) =>
      candidate.isMoved ? origins.map((origin) => ({ kind: candidate.kind, origin, target: candidate })) : [],
    ),
    bytesMoved: open.reduce((total, writer) => total + writer.bytesMoved, 0),
    findings: [],
    session: session.sessionId,
  };
}

async function copyUnit(
  writer: MovedPackWriter,
  source: string,
  origins: readonly OriginSurvivors[],
): Promise<boolean> {
  for (const survivors of origins) if (!(await writer.copy(source, survivors))) return false;
  return true;
}

/** The session whose forwards a unit's new ones have to beat. */
function movedBy(unit: MoveUnit): string | undefined {
  return unit.candidate.isMoved ? unit.candidate.session : undefined;
}

function greatestOf(sessions: readonly (string | undefined)[]): string | undefined {
  return sessions
    .filter((each) => each !== undefined)
    .toSorted()
    .at(-1);
}

/** A listing of what has arrived, before anything is deleted for it. */
async function findMissing(
  pruner: PruneDependencies,
  made: { readonly session: KeeperSession; readonly packs: readonly MarkPack[] },
  call: StoreCall,
): Promise<string | undefined> {
  const listed = new Map<string, number>();
  for (const kind of ["pack", "map"] as const) {
    const prefix = packPrefix(pruner.keys.domain, kind, made.session.sessionId);
    for await (const object of pruner.store.list(prefix, call)) {
      const name = parsePackName(object.key);
      if (name !== undefined) listed.set(originKey(kind, name), object.sizeBytes);
    }
  }
  for (const pack of made.packs) {
    const name = { ...pack, session: made.session.sessionId };
    if (listed.get(originKey(pack.kind, name)) !== pack.sizeBytes)
      return `${nameOfPack(pruner, name)} was stored but is not listed as it was sent`;
  }
  return undefined;
}

async function commit(
  pruner: PruneDependencies,
  made: { readonly session: KeeperSession; readonly packs: readonly MarkPack[] },
  call: StoreCall,
): Promise<string | undefined> {
  try {
    await commitMoves(pruner, made, call);
    return undefined;
  } catch (error) {
    if (isGarrisonError(error, "session-fenced")) return error.message;
    throw error;
  }
}
