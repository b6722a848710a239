import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";
import type { BackupDependencies, BackupPlan, BackupSummary } from "./backup-plan.ts";
import { BackupRun } from "./backup-run.ts";
import { backupVolume, type VolumeResult } from "./backup-volume.ts";
import { commitSession, readFilledSlot } from "./commit-session.ts";
import { giveUpSession } from "../keeper/end-session.ts";
import { defaultLimits, type EngineLimits } from "./engine-limits.ts";
import { seriesHash } from "../format/object-names.ts";
import { freshStart, loadResume } from "./load-resume.ts";
import type { StoreCall } from "../store/object-store.ts";
import { verifyUnlisted } from "./verify-unlisted.ts";
import { loadKnownLosses } from "../repair/findings-note.ts";
import { openSession, type WriterSession } from "./open-session.ts";
import { readEarlierBases, SessionBases } from "./session-bases.ts";

/**
 * Makes one restore point of all `volumes`. The same session with another lane resumes: what is sealed is not read
 * again. A session that is committed already answers with that point's summary.
 *
 * Order: `open` and lane, handshake with the parent; packs, then the pages that refer to them, with a mark now and then;
 * tables; a listing of what arrived; the record. Until the record is created nothing of it counts, and afterwards all of
 * it does. A failure that no retry can mend gives the session up; after any other one it can be resumed.
 */
export async function backupVolumes(
  dependencies: BackupDependencies,
  plan: BackupPlan & { readonly limits?: EngineLimits },
  call: StoreCall,
): Promise<BackupSummary> {
  const slot = { series: seriesHash(dependencies.keys, plan.series), session: plan.grant.sessionId };
  const committed = await readFilledSlot(dependencies, slot, call);
  if (committed !== undefined) return committed;
  try {
    return await runBackup(dependencies, plan, call);
  } catch (error) {
    if (isGarrisonError(error) && isFinal(error)) await giveUp(dependencies, plan, call);
    throw error;
  }
}

async function runBackup(
  dependencies: BackupDependencies,
  plan: BackupPlan & { readonly limits?: EngineLimits },
  call: StoreCall,
): Promise<BackupSummary> {
  const session = await openSession(dependencies, plan, call);
  const resume = session.isResumed ? await loadResume(dependencies, session, call) : freshStart;
  const bases = await openBases(dependencies, session, call);
  const limits = plan.limits ?? defaultLimits;
  const { lost } = await loadKnownLosses(dependencies, call);
  await using run = new BackupRun(dependencies, { plan, limits, session, resume, lost, bases }, call);
  const results: VolumeResult[] = [];
  for (const number of plan.volumes.keys()) {
    const result = await backupVolume(run, number);
    await verifyUnlisted(run, { number, result });
    results.push(result);
  }
  return await commitSession(run, results);
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
const finalCodes: ReadonlySet<string> = new Set([
  "source-invalid",
  "parent-unusable",
  "page-damaged",
  "changed-list-lied",
]);

/** Failures after which the same session can never succeed. */
function isFinal(error: GarrisonError): boolean {
  return finalCodes.has(error.code);
}

async function giveUp(dependencies: BackupDependencies, plan: BackupPlan, call: StoreCall): Promise<void> {
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
