import { isTableDamage } from "../point/is-table-damage.ts";
import type { Finding } from "../check/check-plan.ts";
import { pointName } from "../format/object-names.ts";
import type { PointRecord, RecordVolume } from "../format/point-record.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readSlot } from "../point/read-slot.ts";
import { readPackUses } from "../point/read-pack-uses.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { countReferences } from "./count-references.ts";
import { nameOfPack } from "./find-survivors.ts";
import type { KnownSessions } from "./known-sessions.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { isReclaimed } from "./read-tables.ts";
import { ReferenceCounts } from "./reference-counts.ts";
import { sessionKey } from "./session-sets.ts";
import type { PointFacts } from "./survey-sessions.ts";

export interface AuditResult {
  /** `series/session` of points whose tables were counted now and are right. */
  readonly audited: readonly PointFacts[];
  /** Sessions that points with a wrong table may reach. */
  readonly untouchable: ReadonlySet<string>;
  /** A point's reach is not known at all: a table is not proven and its pages can't be read. */
  readonly isUnsettled: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Counts the references of each root whose table no pass has relied on yet, by walking where its map differs from that of
 * a point that has passed. Tables and pages are written once, so that a verdict holds for ever.
 */
export async function auditTables(
  pruner: PruneDependencies,
  given: { readonly roots: readonly PointFacts[]; readonly known: KnownSessions },
  call: StoreCall,
): Promise<AuditResult> {
  const audited: PointFacts[] = [];
  const untouchable = new Set<string>();
  const findings: Finding[] = [];
  let isUnsettled = false;
  const trusted = new Map<string, PointFacts>();
  for (const root of given.roots)
    if (given.known.audited.has(sessionKey(root))) trusted.set(sessionKey(root), root);
  const wanted = given.roots.filter((root) => !trusted.has(sessionKey(root)));
  for (const [index, root] of wanted.entries()) {
    pruner.onProgress?.({ step: "audit", done: index, total: wanted.length });
    const ancestor = findAncestor(root, trusted);
    const verdict = await auditPoint(pruner, { root, ancestor }, call);
    findings.push(...verdict.findings);
    if (verdict.isUnreadable) isUnsettled = true;
    for (const session of verdict.untouchable) untouchable.add(session);
    if (verdict.findings.length > 0 || verdict.isUnreadable) continue;
    audited.push(root);
    trusted.set(sessionKey(root), root);
  }
  return { audited, untouchable, isUnsettled, findings };
}

/** The parent, or else the point of the series that passed and is next older or newer. */
function findAncestor(root: PointFacts, trusted: ReadonlyMap<string, PointFacts>): PointFacts | undefined {
  if (root.parent !== undefined) {
    const parent = trusted.get(sessionKey({ series: root.series, session: root.parent }));
    if (parent !== undefined) return parent;
  }
  let nearest: PointFacts | undefined;
  for (const point of trusted.values()) {
    if (point.series !== root.series) continue;
    if (nearest === undefined || point.session < root.session) nearest = point;
  }
  return nearest;
}

interface Verdict {
  readonly findings: readonly Finding[];
  readonly untouchable: ReadonlySet<string>;
  readonly isUnreadable: boolean;
}

async function auditPoint(
  pruner: PruneDependencies,
  pair: { readonly root: PointFacts; readonly ancestor: PointFacts | undefined },
  call: StoreCall,
): Promise<Verdict> {
  const { root, ancestor } = pair;
  const key = pointName(pruner.keys.domain, root.series, root.session);
  const about = { severity: "damage", key, point: root.session } as const;
  const untouchable = new Set<string>();
  const findings: Finding[] = [];
  try {
    const record = await readRecordOf(pruner, root, call);
    const before = ancestor === undefined ? undefined : await readRecordOf(pruner, ancestor, call);
    if (record === undefined) return await judgeGone(pruner, root, call);
    for (const volume of record.volumes) {
      const audit = await auditVolume(pruner, { series: root.series, volume, before }, call);
      if (audit.wrong === undefined) continue;
      const { volumeId } = volume;
      const message = `the pack table is not what the pages hold, for example for ${audit.wrong}`;
      findings.push({ ...about, code: "table-wrong", volumeId, message });
      for (const session of audit.sessions) untouchable.add(session);
    }
  } catch (error) {
    if (!isTableDamage(error)) throw error;
    // Reclaimed by another pass: a session that opened after our survey may have taken it for its base before.
    if (await isReclaimed(pruner, root, call)) return { findings, untouchable, isUnreadable: true };
    // The older point may be the one that can't be read, or that another pass has reclaimed.
    if (ancestor !== undefined) return auditPoint(pruner, { root, ancestor: undefined }, call);
    const message = `its table can't be proven: ${error.message}`;
    findings.push({ ...about, code: error.code, message });
    return { findings, untouchable, isUnreadable: true };
  }
  return { findings, untouchable, isUnreadable: false };
}

/** A record that is gone since it was listed: reclaimed by another pass, or taken away. */
async function judgeGone(pruner: PruneDependencies, root: PointFacts, call: StoreCall): Promise<Verdict> {
  const untouchable = new Set<string>();
  if (await isReclaimed(pruner, root, call)) return { findings: [], untouchable, isUnreadable: true };
  const key = pointName(pruner.keys.domain, root.series, root.session);
  const message = "the record has vanished without a tombstone";
  const finding = { severity: "damage", code: "point-vanished", key, message, point: root.session } as const;
  return { findings: [finding], untouchable, isUnreadable: true };
}

async function readRecordOf(
  pruner: PruneDependencies,
  point: PointFacts,
  call: StoreCall,
): Promise<PointRecord | undefined> {
  const content = await readSlot(pruner, point, call);
  return content?.state === "point" ? content.record : undefined;
}

interface AuditedVolume {
  readonly series: string;
  readonly volume: RecordVolume;
  /** The point whose table is known to be right. */
  readonly before: PointRecord | undefined;
}

/** Counts that should all be 0: what the older table says, and the pages add to it, less what this table says. */
async function auditVolume(pruner: PruneDependencies, audited: AuditedVolume, call: StoreCall) {
  const { series, volume } = audited;
  const reading = { ...pruner, forwards: openForwardReader(pruner) };
  const open = (each: RecordVolume) => openVolumeReader(reading, { series, volume: each }, call);
  const uses = (each: RecordVolume) => readPackUses(reading, { series, volume: each }, call);
  const older = audited.before?.volumes.find((each) => each.volumeId === volume.volumeId);
  const counts = new ReferenceCounts();
  const sessions = new Set<string>();
  if (older !== undefined) for (const use of await uses(older)) counts.add(use.kind, use, use.references);
  await countReferences(
    { reader: open(volume), before: older === undefined ? undefined : open(older), withLeaves: true },
    (kind, address, difference) => {
      const { session, lane, pack: number } = address;
      counts.add(kind, { session, lane, number }, difference);
      if (difference > 0) sessions.add(session);
    },
    call,
  );
  for (const { session, count } of counts.entries()) if (count > 0) sessions.add(session);
  for (const use of await uses(volume)) {
    counts.add(use.kind, use, -use.references);
    sessions.add(use.session);
  }
  const [wrong] = counts.entries();
  return { wrong: wrong === undefined ? undefined : nameOfPack(pruner, wrong), sessions };
}
