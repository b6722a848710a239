import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { PackSet } from "../check/pack-set.ts";
import type { JsonFields, JsonObject } from "../format/json-fields.ts";
import { noteName } from "../format/object-names.ts";
import { listNotes, writeNote } from "../keeper/notes.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import type { StoreCall } from "../store/object-store.ts";

/**
 * What is known of the locks on a session's packs, so that a pass need not ask for each one. It can be read back from the
 * objects at any time; what it says was true when it was noted, and locks only grow.
 */
export interface LockEntry {
  /** What was looked at or locked, and until when all of it is locked; absent: nothing was. */
  readonly held?: { readonly packs: PackSet; readonly leastMs: number };
  /** Nothing of the session is known to be locked for longer. */
  readonly latestMs: number;
}

export interface LockLedger {
  readonly sessions: ReadonlyMap<string, LockEntry>;
  /** Ids of the notes that it was read from, oldest first. */
  readonly notes: readonly string[];
}

export async function loadLockLedger(
  keeper: Pick<KeeperDependencies, "store" | "keys">,
  call: StoreCall,
): Promise<LockLedger> {
  const notes: string[] = [];
  let sessions: ReadonlyMap<string, LockEntry> = new Map();
  for await (const note of listNotes(keeper, "locks", call)) {
    notes.push(note.id);
    sessions = decodeLocks(note.fields);
  }
  return { sessions, notes };
}

/** Throws `object-malformed`. */
export function decodeLocks(note: JsonFields): ReadonlyMap<string, LockEntry> {
  const entries = note.list("sessions", (fields) => {
    const session = fields.hex("session", 8);
    return [session, { latestMs: fields.count("latestMs"), ...decodeHeld(session, fields) }] as const;
  });
  return new Map(entries);
}

/** Writes what is known now; the notes before the last one go, as far as the store lets them. */
export async function noteLocks(
  keeper: KeeperDependencies & { readonly clock: Clock },
  known: { readonly sessions: ReadonlyMap<string, LockEntry>; readonly notes: readonly string[] },
  call: StoreCall,
): Promise<void> {
  const sessions = [...known.sessions]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([session, { latestMs, held }]) => ({ session, latestMs, ...encodeHeld(held) }));
  await writeNote(keeper, { kind: "locks", body: { sessions } }, call);
  for (const id of known.notes.slice(0, -1)) {
    await keeper.store.delete(noteName(keeper.keys.domain, "locks", id), call).catch((error: unknown) => {
      if (!isGarrisonError(error, "object-locked")) throw error;
    });
  }
}

function encodeHeld(held: LockEntry["held"]): JsonObject {
  if (held === undefined) return {};
  const packs = [...held.packs.lanes()].map(({ kind, lane, bits }) => ({
    kind,
    lane,
    bits: Buffer.from(bits).toString("base64"),
  }));
  return { leastMs: held.leastMs, packs };
}

function decodeHeld(session: string, fields: JsonFields): Pick<LockEntry, "held"> {
  const leastMs = fields.optionalCount("leastMs");
  if (leastMs === undefined) return {};
  const packs = new PackSet();
  fields.list("packs", (lane) => {
    const kind = lane.text("kind") === "map" ? "map" : "pack";
    packs.setLane({ kind, session, lane: lane.hex("lane", 4) }, lane.bytes("bits"));
  });
  return { held: { packs, leastMs } };
}
