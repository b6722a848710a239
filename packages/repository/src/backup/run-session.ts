import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";
import { seriesHash } from "../format/object-names.ts";
import { giveUpSession } from "../keeper/end-session.ts";
import { loadKnownLosses } from "../repair/findings-note.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { BackupDependencies, BackupSummary, SessionPlan } from "./backup-plan.ts";
import { BackupRun } from "./backup-run.ts";
import { commitSession, readFilledSlot, type ReadVolume } from "./commit-session.ts";
import { defaultLimits, type EngineLimits } from "./engine-limits.ts";
import { freshStart, loadResume } from "./load-resume.ts";
import { openSession, type WriterSession } from "./open-session.ts";
import { readEarlierBases, SessionBases } from "./session-bases.ts";

export interface SessionWork<Plan extends SessionPlan> {
  readonly plan: Plan & { readonly limits?: EngineLimits };
  /** Reads all volumes; what it appends to packs and maps counts only with the record. */
  readonly read: (run: BackupRun<Plan>) => Promise<readonly ReadVolume[]>;
}

/**
 * One lane of a session from its opening to its commit, whatever it reads. A session that is committed already answers
 * with that point's summary, and nothing is read.
 *
 * Order: `open` and lane, handshake with the parent; packs, then the pages that refer to them, with a mark now and then;
 * tables; a listing of what arrived; the record. Until the record is created nothing of it counts, and afterwards all of
 * it does. A failure that no retry can mend gives the session up; after any other one it can be resumed.
 */
export async function runSession<Plan extends SessionPlan>(
  dependencies: BackupDependencies,
  work: SessionWork<Plan>,
  call: StoreCall,
): Promise<BackupSummary> {
  const { plan } = work;
  const slot = { series: seriesHash(dependencies.keys, plan.series), session: plan.grant.sessionId };
  const committed = await readFilledSlot(dependencies, slot, call);
  if (committed !== undefined) return committed;
  try {
    return await readAndCommit(dependencies, work, call);
  } catch (error) {
    if (isGarrisonError(error) && isFinal(error)) await giveUp(dependencies, plan, call);
    throw error;
  }
}

async function readAndCommit<Plan extends SessionPlan>(
  dependencies: BackupDependencies,
  { plan, read }: SessionWork<Plan>,
  call: StoreCall,
): Promise<BackupSummary> {
  const session = await openSession(dependencies, plan, call);
  const resume = session.isResumed ? await loadResume(dependencies, session, call) : freshStart;
  const limits = plan.limits ?? defaultLimits;
  const bases = await openBases(dependencies, session, call);
  const { lost } = await loadKnownLosses(dependencies, call);
  await using run = new BackupRun<Plan>(dependencies, { plan, limits, session, resume, lost, bases }, call);
  return await commitSession(run, await read(run));
}

/** The parent, and in a session that goes on all that earlier lanes may have referred to. */
async function openBases(
  dependencies: BackupDependencies,
  session: WriterSession,
  call: StoreCall,
): Promise<SessionBases> {
  const { sessionId, parent, opened, series } = session;
  const own = parent === undefined ? [] : [{ base: { series, session: parent.session }, record: parent }];
  if (!session.isResumed) return new SessionBases(dependencies, { sessionId, held: own, stored: [] }, call);
  const { held, stored } = await readEarlierBases(dependencies, { sessionId, opened }, call);
  return new SessionBases(dependencies, { sessionId, held: [...own, ...held], stored }, call);
}

/** Failures after which the same session can never succeed. */
const finalCodes: readonly string[] = [
  "source-invalid",
  "producer-failed",
  "parent-unusable",
  "page-damaged",
  "changed-list-lied",
];

function isFinal(error: GarrisonError): boolean {
  return finalCodes.includes(error.code);
}

async function giveUp(dependencies: BackupDependencies, plan: SessionPlan, call: StoreCall): Promise<void> {
  const address = { series: plan.series, sessionId: plan.grant.sessionId };
  try {
    await giveUpSession(dependencies, address, call);
  } catch (error) {
    dependencies.logger.warn(
      { session: address.sessionId, error: String(error) },
      "the session could not be given up",
    );
  }
}
