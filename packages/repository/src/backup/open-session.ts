import { createHash } from "node:crypto";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { BackupDependencies, SessionPlan, SessionVolume } from "./backup-plan.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { maxVolumeBytes, maxVolumes } from "../format/format-limits.ts";
import { formatJson } from "../format/json-fields.ts";
import { laneName, openName, pointPrefix, parseSlotName, seriesHash } from "../format/object-names.ts";
import type { PointRecord } from "../format/point-record.ts";
import { decodeObject, encodeObject } from "../format/sealed-object.ts";
import { decodeOpen, encodeOpen, type SessionOpen } from "../format/session-objects.ts";
import type { StoreCall } from "../store/object-store.ts";
import { readIfThere } from "../store/read-if-there.ts";
import { shakeHands, storeBase } from "./session-bases.ts";

/** A session whose `open` and lane are stored and whose bases have been shaken hands with. */
export interface WriterSession {
  readonly sessionId: string;
  readonly laneId: string;
  /** The series' keyed hash. */
  readonly series: string;
  readonly parent: PointRecord | undefined;
  /** What the session was opened for, by this lane or an earlier one. */
  readonly opened: SessionOpen;
  readonly isResumed: boolean;
  readonly predecessor?: string;
  readonly seen: { readonly count: number; readonly sha256: string };
}

/** Opens or resumes the session of a plan. Throws `session-taken`, `session-changed`, `parent-unusable`. */
export async function openSession(
  dependencies: BackupDependencies,
  plan: SessionPlan,
  call: StoreCall,
): Promise<WriterSession> {
  checkPlan(dependencies, plan);
  const series = seriesHash(dependencies.keys, plan.series);
  const { sessionId, laneId } = plan.grant;
  const seen = await readSeen(dependencies, { series, sessionId }, call);
  const wanted = wantedOpen(plan, series);
  const before = await storeOpen(dependencies, { sessionId, wanted }, call);
  await storeLane(dependencies, { sessionId, laneId }, call);
  const parent =
    plan.parent === undefined
      ? undefined
      : await shakeHands(dependencies, { series, session: plan.parent }, call);
  checkChanges(plan, parent);
  const opened = before ?? wanted;
  return { sessionId, laneId, series, parent, opened, isResumed: before !== undefined, ...seen };
}

function checkPlan(dependencies: BackupDependencies, plan: SessionPlan): void {
  if (plan.grant.epoch !== dependencies.keys.epoch) {
    throw new GarrisonError(
      "usage",
      `the session's data key is of epoch ${plan.grant.epoch}, the domain's keys of ${dependencies.keys.epoch}`,
    );
  }
  const ids = new Set(plan.volumes.map((volume) => volume.volumeId));
  if (plan.volumes.length === 0 || plan.volumes.length > maxVolumes || ids.size !== plan.volumes.length) {
    throw new GarrisonError("usage", `a backup takes 1 to ${maxVolumes} different volumes`);
  }
  for (const { volumeId, kind, source } of plan.volumes) {
    const isFit = Number.isSafeInteger(source.sizeBytes) && source.sizeBytes > 0;
    if (kind !== "stream" && (!isFit || source.sizeBytes > maxVolumeBytes)) {
      throw new GarrisonError(
        "source-invalid",
        `${volumeId} has ${source.sizeBytes} bytes; 1 byte to 64 TiB can be kept`,
      );
    }
  }
}

function wantedOpen(plan: SessionPlan, series: string): SessionOpen {
  return {
    kind: "backup",
    series,
    bases: plan.parent === undefined ? [] : [{ series, session: plan.parent }],
    volumes: plan.volumes.map(openVolume),
  };
}

function openVolume({ volumeId, kind, source }: SessionVolume): SessionOpen["volumes"][number] {
  const { identity, coverage, sizeBytes } = source;
  return { volumeId, identity, coverage, sizeBytes, ...(kind === undefined ? {} : { kind }) };
}

/** What another lane opened the session for before, if one did. */
async function storeOpen(
  dependencies: BackupDependencies,
  session: { readonly sessionId: string; readonly wanted: SessionOpen },
  call: StoreCall,
): Promise<SessionOpen | undefined> {
  const { keys, random, store } = dependencies;
  const name = openName(keys.domain, session.sessionId);
  const bytes = encodeObject(keys, random, { name, kind: "open", body: encodeOpen(session.wanted) });
  if ((await store.create(name, bytes, call)) === "created") return undefined;
  const stored = await store.read(name, call);
  if (Buffer.compare(stored, bytes) === 0) return undefined;
  const before = decodeOpenObject(dependencies, name, stored);
  requireSameEpoch(session.sessionId, keys.epoch, before.epoch);
  if (before.series !== session.wanted.series) {
    throw new GarrisonError("session-taken", `session ${session.sessionId} belongs to another series`);
  }
  if (JSON.stringify(before.volumes) !== JSON.stringify(session.wanted.volumes)) {
    throw new GarrisonError(
      "session-changed",
      `session ${session.sessionId} was begun with other volumes, another snapshot or another way to read`,
    );
  }
  requireSameParent(session, before);
  await storeMissingBase(dependencies, { ...session, before }, call);
  return before;
}

/** One data key opens all that a session has stored; after a rotation nothing new is sealed with the old one. */
function requireSameEpoch(sessionId: string, epoch: number, before: number): void {
  if (epoch === before) return;
  const reason = `session ${sessionId} was begun in key epoch ${before}, the keys at hand are of epoch ${epoch}`;
  throw new GarrisonError("session-changed", reason);
}

/** Changes that were begun on one parent can't be finished on another. */
function requireSameParent(
  session: { readonly sessionId: string; readonly wanted: SessionOpen },
  before: SessionOpen,
): void {
  const hasChanges = before.volumes.some((volume) => volume.coverage === "changes");
  if (!hasChanges || before.bases[0]?.session === session.wanted.bases[0]?.session) return;
  const parent = before.bases[0]?.session ?? "none";
  throw new GarrisonError(
    "session-changed",
    `session ${session.sessionId} was begun with the parent ${parent}`,
  );
}

function decodeOpenObject(
  dependencies: Pick<BackupDependencies, "keys">,
  name: string,
  stored: Uint8Array,
): SessionOpen & { readonly epoch: number } {
  try {
    const { body, epoch } = decodeObject(dependencies.keys, name, stored);
    return { ...decodeOpen(body, name), epoch };
  } catch (cause) {
    if (!isGarrisonError(cause) || cause.code === "keys-outdated") throw cause;
    throw new GarrisonError("session-taken", `${name} is someone else's`, { cause });
  }
}

/** A base that `open` does not name is added under the first free number, before it is used. */
async function storeMissingBase(
  dependencies: BackupDependencies,
  session: { readonly sessionId: string; readonly wanted: SessionOpen; readonly before: SessionOpen },
  call: StoreCall,
): Promise<void> {
  const known = new Set(session.before.bases.map((base) => base.session));
  for (const base of session.wanted.bases.filter((each) => !known.has(each.session)))
    await storeBase(dependencies, { sessionId: session.sessionId, base }, call);
}

async function storeLane(
  dependencies: BackupDependencies,
  lane: { readonly sessionId: string; readonly laneId: string },
  call: StoreCall,
): Promise<void> {
  const { keys, random, store } = dependencies;
  const name = laneName(keys.domain, lane.sessionId, lane.laneId);
  const body = formatJson({ startedAtMs: dependencies.clock.now() });
  const bytes = encodeObject(keys, random, { name, kind: "lane", body });
  if ((await store.create(name, bytes, call)) === "created") return;
  if (Buffer.compare(await store.read(name, call), bytes) === 0) return;
  throw new GarrisonError("session-taken", `lane ${lane.laneId} of session ${lane.sessionId} is taken`);
}

/** Changes apply to something: without the same volume in the parent, or with a smaller one, they mean nothing. */
function checkChanges(plan: SessionPlan, parent: PointRecord | undefined): void {
  for (const { volumeId, source } of plan.volumes) {
    if (source.coverage !== "changes") continue;
    const before = parent?.volumes.find((volume) => volume.volumeId === volumeId);
    if (before === undefined || blocksOf(before.sizeBytes) > blocksOf(source.sizeBytes)) {
      throw new GarrisonError(
        "parent-unusable",
        `the changes of ${volumeId} have no parent restore point to apply to`,
      );
    }
  }
}

function blocksOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockSizeBytes);
}

/** The series as this session found it; stored in its record, so that vanished records show as gaps. */
async function readSeen(
  dependencies: BackupDependencies,
  session: { readonly series: string; readonly sessionId: string },
  call: StoreCall,
): Promise<Pick<WriterSession, "predecessor" | "seen">> {
  const digest = createHash("sha256");
  const prefix = pointPrefix(dependencies.keys.domain, session.series);
  let predecessor: string | undefined;
  let count = 0;
  for await (const object of dependencies.store.list(prefix, call)) {
    const slot = parseSlotName(object.key);
    if (slot === undefined || slot.session >= session.sessionId) continue;
    digest.update(slot.session);
    predecessor = slot.session;
    count++;
  }
  const seen = { count, sha256: digest.digest("hex") };
  return predecessor === undefined ? { seen } : { predecessor, seen };
}

/** What an earlier lane opened a session for, to resume it likewise. Throws `point-missing` when there is none. */
export async function readOpenSession(
  dependencies: Pick<BackupDependencies, "store" | "keys">,
  sessionId: string,
  call: StoreCall,
): Promise<SessionOpen> {
  const name = openName(dependencies.keys.domain, sessionId);
  const bytes = await readIfThere(dependencies.store, name, call);
  if (bytes === undefined)
    throw new GarrisonError("point-missing", `there is no session ${sessionId} to resume`);
  return decodeOpenObject(dependencies, name, bytes);
}
