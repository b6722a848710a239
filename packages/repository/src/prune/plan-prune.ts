import { GarrisonError } from "@garrison/core/garrison-error";
import { dayMs, MiB } from "@garrison/core/units";
import type { SessionBase } from "../format/session-objects.ts";
import { noteName } from "../format/object-names.ts";
import { writeNote } from "../keeper/notes.ts";
import type { StoreCall } from "../store/object-store.ts";
import { behindShadows } from "./behind-shadows.ts";
import { auditTables, type AuditResult } from "./audit-tables.ts";
import { findVanished } from "./find-vanished.ts";
import { judgeSessions, type Judgement } from "./judge-sessions.ts";
import { catalogueText, readKnownSessions, type KnownSessions } from "./known-sessions.ts";
import { planPacks } from "./plan-packs.ts";
import { gainOf, type MoveCandidates } from "./move-candidates.ts";
import type { PruneDependencies, PruneOptions, PrunePlan } from "./prune-plan.ts";
import { readStoreTime } from "./read-store-time.ts";
import { encodeSessions, sessionKey } from "./session-sets.ts";
import { surveySessions, type Survey } from "./survey-sessions.ts";

const defaults = {
  graceMs: 7 * dayMs,
  staleMs: dayMs,
  repackBelow: 0.5,
  minimumGainBytes: 64 * MiB,
  minimumAgeMs: 0,
  disowned: [] as readonly string[],
  acceptVanished: false,
  windowPacks: 1_000_000,
  maxMoves: 65_536,
};
const keptNotes = 2;
const nothingMoved: PrunePlan["moves"] = { candidates: [], gainBytes: 0, later: 0 };

/**
 * Works out one pass over a domain: steps 0 to 5 of the protocol, each listing begun after the one before has ended.
 *
 * - *Held* is what is reachable from points without a tombstone whose grace is over and from bases of open sessions, and
 *   what bears the name of an open session. Everything else is dead, and dead stays dead: slots and tombstones are final,
 *   a handshake refuses ended bases, a fenced session can't commit. So a plan may be executed late, twice, or by several
 *   pruners at once.
 * - A session opened after its objects were listed looks for its base's tombstone later than the tombstones were listed:
 *   what it may refer to is held through that base. If that ends and goes before this survey has read it, nobody knows
 *   what it reached: then nothing that has ever committed goes.
 * - Sessions to be fenced still count as open here; what bears their name goes only if the fence takes hold.
 *
 * It deletes nothing. It writes five bytes to learn the store's time, and a note of the tables that it has audited. Throws
 * `prune-refused` when points that were known have vanished without a tombstone.
 */
export async function planPrune(
  given: PruneDependencies,
  wanted: PruneOptions,
  call: StoreCall,
): Promise<PrunePlan> {
  const pruner = behindShadows(given);
  const options = { ...defaults, ...wanted };
  const storeTimeMs = await readStoreTime(pruner, call);
  const known = await readKnownSessions(pruner, call);
  const survey = await surveySessions(pruner, known, call);
  const vanished = await findVanished(pruner, { survey, known }, call);
  if (vanished.length > 0 && !options.acceptVanished) throw refused(vanished);
  const judging = { ...options, storeTimeMs, vanished };
  const judgement = await judgeSessions(pruner, { survey, options: judging }, call);
  const audit = await auditTables(pruner, { roots: judgement.roots, known }, call);
  await noteAudits(pruner, { audit, known, survey }, call);
  const { decisions, isUnsettled } = await planPacks(
    pruner,
    {
      ...options,
      survey,
      judgement,
      judging,
      storeTimeMs,
      untouchable: audit.untouchable,
      isUnsettled: judgement.isUnsettled || audit.isUnsettled,
    },
    call,
  );
  const catalogue = catalogueOf(survey);
  const records = isUnsettled ? [] : judgement.ended.filter((point) => !decisions.isHeld(point.session));
  return {
    storeTimeMs,
    repackBelow: options.repackBelow,
    roots: judgement.roots.map(({ series, session }) => ({ series, session })),
    fences: judgement.fences,
    records,
    forwards: decisions.forwards,
    packs: decisions.deletes(),
    sessions: listTidied(survey, judgement).filter((session) => !decisions.isHeld(session)),
    notes: listOldNotes(pruner, known),
    moves: isUnsettled ? nothingMoved : chooseMoves(decisions.candidates, options),
    kept: decisions.kept(),
    held: decisions.held(),
    vanished,
    catalogue,
    catalogueIsNew: catalogueText(catalogue) !== known.newest,
    findings: [...judgement.findings, ...audit.findings, ...decisions.findings],
    ...newestMovesOf(survey),
  };
}

function refused(vanished: readonly SessionBase[]): GarrisonError {
  const names = vanished.slice(0, 5).map((point) => point.session);
  const more = vanished.length > names.length ? ` and ${vanished.length - names.length} more` : "";
  return new GarrisonError(
    "prune-refused",
    `restore points ${names.join(", ")}${more} are gone, or not authentic any more, and were never ended`,
    { details: { vanished } },
  );
}

/** Each note repeats the ones before, as far as their points are still there: only the newest is needed. */
async function noteAudits(
  pruner: PruneDependencies,
  seen: { readonly audit: AuditResult; readonly known: KnownSessions; readonly survey: Survey },
  call: StoreCall,
): Promise<void> {
  if (seen.audit.audited.length === 0) return;
  const points = catalogueOf(seen.survey).points;
  const passed = new Set(seen.audit.audited.map(sessionKey));
  const audited = points.filter(
    (point) => passed.has(sessionKey(point)) || seen.known.audited.has(sessionKey(point)),
  );
  await writeNote(pruner, { kind: "audit", body: encodeSessions(audited) }, call);
}

function catalogueOf(survey: Survey): PrunePlan["catalogue"] {
  const points: SessionBase[] = [];
  const dead: SessionBase[] = [];
  for (const slot of [...survey.slots.values()].flat()) {
    const { series, session } = slot;
    if (slot.state === "point") points.push({ series, session });
    if (slot.state === "dead") dead.push({ series, session });
  }
  return { points, dead };
}

/** Sessions that have ended: their slots are filled, or a tombstone says that nothing can come of them. */
function listTidied(survey: Survey, judgement: Judgement): readonly string[] {
  const fenced = new Set(judgement.fences.map((fence) => fence.session));
  return [...survey.sessions.keys()].filter((session) => {
    const state = judgement.states.get(session);
    return fenced.has(session) || (state !== "open" && state !== "unknown");
  });
}

function listOldNotes(pruner: PruneDependencies, known: KnownSessions): readonly string[] {
  const kinds = ["catalogue", "audit"] as const;
  return kinds.flatMap((kind) =>
    known.notes[kind].slice(0, -keptNotes).map((id) => noteName(pruner.keys.domain, kind, id)),
  );
}

/** Moving is worth it from a certain gain on; each pack gains what the estimate says is not needed of it. */
function chooseMoves(
  decided: MoveCandidates,
  options: { readonly minimumGainBytes: number },
): PrunePlan["moves"] {
  const candidates = decided.list();
  const gainBytes = Math.floor(candidates.reduce((total, each) => total + gainOf(each), 0));
  return gainBytes < options.minimumGainBytes || candidates.length === 0
    ? nothingMoved
    : { candidates, gainBytes, later: decided.later };
}

function newestMovesOf(survey: Survey): { readonly newestMoves?: string } {
  const moves = [...survey.slots.values()].flat().filter((slot) => slot.state === "moves");
  const newestMoves = moves
    .map((slot) => slot.session)
    .toSorted()
    .at(-1);
  return newestMoves === undefined ? {} : { newestMoves };
}
