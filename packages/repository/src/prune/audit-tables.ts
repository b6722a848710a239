import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Finding } from "../check/check-plan.ts";
import { packName, pointName, type PackKind } from "../format/object-names.ts";
import type { PackTable } from "../format/pack-table.ts";
import type { PointRecord, RecordVolume } from "../format/point-record.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readSlot } from "../point/read-slot.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { countReferences } from "./count-references.ts";
import type { KnownSessions } from "./known-sessions.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { isDamageCode, isReclaimed } from "./read-tables.ts";
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

const kinds: readonly PackKind[] = ["pack", "map"];

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
      if (audit.wrong.length === 0) continue;
      const { volumeId } = volume;
      const message = `the pack table is not what the pages hold, for example for ${audit.wrong[0]}`;
      findings.push({ ...about, code: "table-wrong", volumeId, message });
      for (const session of audit.sessions) untouchable.add(session);
    }
  } catch (error) {
    if (!isGarrisonError(error) || !isDamageCode(error.code)) throw error;
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

async function auditVolume(pruner: PruneDependencies, audited: AuditedVolume, call: StoreCall) {
  const { series, volume } = audited;
  const forwards = openForwardReader(pruner);
  const open = (each: RecordVolume) =>
    openVolumeReader({ ...pruner, forwards }, { series, volume: each }, call);
  const reader = open(volume);
  const older = audited.before?.volumes.find((each) => each.volumeId === volume.volumeId);
  const before = older === undefined ? undefined : open(older);
  const differences = new Map<string, number>();
  const sessions = new Set<string>();
  await countReferences(
    { reader, before, withLeaves: true },
    (kind, address, difference) => {
      const name = packName(pruner.keys.domain, kind, { ...address, number: address.pack });
      differences.set(name, (differences.get(name) ?? 0) + difference);
      if (difference > 0) sessions.add(address.session);
    },
    call,
  );
  const wrong = await compare(pruner, { reader, before, differences, sessions });
  return { wrong, sessions };
}

/** Names of packs for which the table says something else than the older one and the differences. */
async function compare(
  pruner: PruneDependencies,
  counted: {
    readonly reader: VolumeReader;
    readonly before: VolumeReader | undefined;
    readonly differences: Map<string, number>;
    readonly sessions: Set<string>;
  },
): Promise<readonly string[]> {
  const { differences, sessions } = counted;
  const wrong: string[] = [];
  const table = await counted.reader.table();
  const older = await counted.before?.table();
  for (const kind of kinds) {
    for (const use of older?.uses(kind) ?? []) {
      const name = packName(pruner.keys.domain, kind, use);
      const references = use.references + (differences.get(name) ?? 0);
      differences.delete(name);
      if (references !== referencesIn(table, use)) wrong.push(name);
      if (references > 0) sessions.add(use.session);
    }
    for (const use of table.uses(kind)) {
      sessions.add(use.session);
      const name = packName(pruner.keys.domain, kind, use);
      if (older !== undefined && referencesIn(older, use) > 0) continue; // compared above
      if (use.references !== (differences.get(name) ?? 0)) wrong.push(name);
      differences.delete(name);
    }
  }
  for (const [name, references] of differences) if (references !== 0) wrong.push(name);
  return wrong;
}

function referencesIn(
  table: PackTable,
  use: { kind: PackKind; session: string; lane: string; number: number },
) {
  return table.find(use.kind, use)?.references ?? 0;
}
