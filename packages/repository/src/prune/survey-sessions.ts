import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { isObjectError } from "../store/is-object-error.ts";
import {
  endPrefix,
  packFolder,
  packPrefix,
  parseSlotName,
  pointName,
  pointPrefix,
  seriesHash,
  type PackKind,
} from "../format/object-names.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { PointRecord, TablePack } from "../format/point-record.ts";
import { decodeObject } from "../format/sealed-object.ts";
import {
  decodeBase,
  decodeOpenHead,
  type OpenHead,
  type SessionBase,
  type SessionMoves,
} from "../format/session-objects.ts";
import { decodeSlot, type SlotAddress } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { KnownSessions } from "./known-sessions.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { sessionKey } from "./session-sets.ts";

/** What a pass needs of a record; the map's root is read again when it is wanted. */
export interface PointFacts extends SessionBase {
  readonly lane: string;
  readonly parent: string | undefined;
  readonly predecessor: string | undefined;
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly tables: readonly ItemAddress[];
    readonly hooks: readonly ItemAddress[];
  }[];
  readonly tablePacks: readonly TablePack[];
}

export type SlotFacts = SlotAddress &
  (
    | { readonly state: "point"; readonly point: PointFacts }
    | { readonly state: "dead" }
    | { readonly state: "moves"; readonly moves: SessionMoves }
    /** Listed, and deleted by another pass before it was read: what it reached is not known. */
    | { readonly state: "gone" }
    /** Not authentic, or of another place: a person must settle it. */
    | { readonly state: "foreign"; readonly reason: string }
  );

/** The objects below `session/<s>/`. */
export interface SessionObjects {
  /** Nothing: there is no `open`, or it can't be read. */
  open: OpenHead | undefined;
  hasOpen: boolean;
  /** Whether all its bases could be read. */
  isReadable: boolean;
  readonly bases: SessionBase[];
  newestMs: number;
}

/** What the listings of steps 0 to 3 say, each begun after the one before had ended. */
export interface Survey {
  /** Step 0: sessions that have packs or map packs. */
  readonly withPacks: ReadonlySet<string>;
  /** Step 1: `series/session` of tombstones, and when the store got them. */
  readonly tombstones: ReadonlyMap<string, number>;
  /** Step 2. */
  readonly sessions: ReadonlyMap<string, SessionObjects>;
  /** Step 3, by session: usually one. */
  readonly slots: ReadonlyMap<string, readonly SlotFacts[]>;
  /** Points that have ended since step 1 and whose slots were not listed: another pass has reclaimed them. */
  readonly overtaken: readonly SessionBase[];
}

const readsAtOnce = 8;
const kinds: readonly PackKind[] = ["pack", "map"];

export async function surveySessions(
  pruner: PruneDependencies,
  known: KnownSessions,
  call: StoreCall,
): Promise<Survey> {
  const withPacks = await listPackSessions(pruner, call);
  const tombstones = await listTombstones(pruner, call);
  const sessions = await listSessions(pruner, call);
  const slots = await listSlots(pruner, known, call);
  const overtaken = await listOvertaken(pruner, { tombstones, slots }, call);
  return { withPacks, tombstones, sessions, slots, overtaken };
}

/** A listing of many pages may pass the place where a session commits, before it comes to where its base has been. */
async function listOvertaken(
  pruner: PruneDependencies,
  { tombstones, slots }: Pick<Survey, "tombstones" | "slots">,
  call: StoreCall,
): Promise<readonly SessionBase[]> {
  const later = await listTombstones(pruner, call);
  return [...later.keys()].flatMap((key) => {
    const slot = parseSlotName(`/end/${key}`);
    const isKnown = tombstones.has(key) || slot === undefined || slots.has(slot.session);
    return isKnown ? [] : [{ series: slot.series, session: slot.session }];
  });
}

async function listPackSessions(pruner: PruneDependencies, call: StoreCall): Promise<Set<string>> {
  const found = new Set<string>();
  for (const kind of kinds) {
    const prefix = packFolder(pruner.keys.domain, kind);
    for await (const folder of pruner.store.listFolders(prefix, call))
      found.add(folder.slice(prefix.length, -1));
  }
  return found;
}

async function listTombstones(pruner: PruneDependencies, call: StoreCall): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const object of pruner.store.list(endPrefix(pruner.keys.domain), call)) {
    const slot = parseSlotName(object.key);
    if (slot !== undefined) found.set(sessionKey(slot), object.modifiedMs);
  }
  return found;
}

const sessionPattern = /\/session\/([0-9a-f]{16})\/(open|base|lane|mark)/;

async function listSessions(
  pruner: PruneDependencies,
  call: StoreCall,
): Promise<Map<string, SessionObjects>> {
  const found = new Map<string, SessionObjects>();
  const wanted: { readonly session: string; readonly key: string; readonly isOpen: boolean }[] = [];
  for await (const object of pruner.store.list(`${pruner.keys.domain}/session/`, call)) {
    const [, session, what] = sessionPattern.exec(object.key) ?? [];
    if (session === undefined) continue;
    const known = found.get(session);
    const objects = known ?? { open: undefined, hasOpen: false, isReadable: true, bases: [], newestMs: 0 };
    if (known === undefined) found.set(session, objects);
    objects.newestMs = Math.max(objects.newestMs, object.modifiedMs);
    if (what === "open") objects.hasOpen = true;
    if (what === "open" || what === "base")
      wanted.push({ session, key: object.key, isOpen: what === "open" });
  }
  const options = { concurrency: readsAtOnce, signal: call.signal };
  const reads = mapConcurrent(wanted, options, async (each) => ({
    ...each,
    read: await readSessionObject(pruner, each, call),
  }));
  for await (const { session, read } of reads) {
    const objects = found.get(session)!;
    if (read === undefined) objects.isReadable = false;
    else if ("kind" in read) objects.open = read;
    objects.bases.push(...(read === undefined ? [] : "kind" in read ? read.bases : [read]));
  }
  return found;
}

async function readSessionObject(
  pruner: PruneDependencies,
  wanted: { readonly key: string; readonly isOpen: boolean },
  call: StoreCall,
): Promise<OpenHead | SessionBase | undefined> {
  const { key, isOpen } = wanted;
  try {
    const object = decodeObject(pruner.keys, key, await pruner.store.read(key, call));
    if (object.kind !== (isOpen ? "open" : "base")) return undefined;
    return isOpen ? decodeOpenHead(object.body, key) : decodeBase(object.body, key);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** An epoch that is not known may be a stranger's rubbish. What it may reach stays either way. */
function isUnreadable(error: unknown): error is GarrisonError {
  return isObjectError(error) || isGarrisonError(error, "keys-outdated");
}

async function listSlots(
  pruner: PruneDependencies,
  known: KnownSessions,
  call: StoreCall,
): Promise<Map<string, SlotFacts[]>> {
  const found = new Map<string, SlotFacts[]>();
  const options = { concurrency: readsAtOnce, signal: call.signal };
  const listed = pruner.store.list(pointPrefix(pruner.keys.domain), call);
  const reads = mapConcurrent(listed, options, async ({ key }) => {
    const slot = parseSlotName(key);
    return slot === undefined ? undefined : readFacts(pruner, { slot, known }, call);
  });
  let done = 0;
  for await (const facts of reads) {
    if (facts === undefined) continue;
    found.set(facts.session, [...(found.get(facts.session) ?? []), facts]);
    pruner.onProgress?.({ step: "sessions", done: ++done });
  }
  return found;
}

async function readFacts(
  pruner: PruneDependencies,
  wanted: { readonly slot: SlotAddress; readonly known: KnownSessions },
  call: StoreCall,
): Promise<SlotFacts | undefined> {
  const { slot, known } = wanted;
  if (known.dead.has(sessionKey(slot))) return { ...slot, state: "dead" };
  try {
    const name = pointName(pruner.keys.domain, slot.series, slot.session);
    const content = decodeSlot(pruner.keys, slot, await pruner.store.read(name, call));
    if (content.state === "point") return factsOf(pruner, slot, content.record);
    return content.state === "moves"
      ? { ...slot, state: "moves", moves: content.moves }
      : { ...slot, state: "dead" };
  } catch (error) {
    if (!isGarrisonError(error) || !isUnreadable(error)) throw error;
    if (error.code === "object-missing") return { ...slot, state: "gone" };
    return { ...slot, state: "foreign", reason: error.message };
  }
}

/** A record says itself where it belongs. */
function factsOf(pruner: PruneDependencies, slot: SlotAddress, record: PointRecord): SlotFacts {
  const isAtHome = record.session === slot.session && seriesHash(pruner.keys, record.series) === slot.series;
  if (!isAtHome) {
    const name = pointName(pruner.keys.domain, slot.series, slot.session);
    return { ...slot, state: "foreign", reason: `the record in ${name} belongs under another name` };
  }
  const { lane, parent, predecessor, tablePacks } = record;
  const volumes = record.volumes.map(({ volumeId, tables, hooks }) => ({ volumeId, tables, hooks }));
  return { ...slot, state: "point", point: { ...slot, lane, parent, predecessor, volumes, tablePacks } };
}

/** The newest pack of a session: a writer may be filling packs long after its last mark. */
export async function newestPackMs(
  pruner: PruneDependencies,
  session: string,
  call: StoreCall,
): Promise<number> {
  let newestMs = 0;
  for (const kind of kinds) {
    for await (const object of pruner.store.list(packPrefix(pruner.keys.domain, kind, session), call))
      newestMs = Math.max(newestMs, object.modifiedMs);
  }
  return newestMs;
}
