import type { SessionBase } from "../format/session-objects.ts";
import { listNotes, type NoteKind } from "../keeper/notes.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { decodeSessions, sessionKey } from "./session-sets.ts";

/** What earlier passes noted. */
export interface KnownSessions {
  /** `series/session` of restore points that were seen. */
  readonly points: ReadonlyMap<string, SessionBase>;
  /** Fenced or given up, for good: their slots need not be read again. */
  readonly dead: ReadonlySet<string>;
  /** Points whose tables have been counted by other code. */
  readonly audited: ReadonlySet<string>;
  /** Whether there is a catalogue at all: a slot that no catalogue knows may still be an old point. */
  readonly hasCatalogue: boolean;
  /** The newest catalogue, to see whether there is anything new to note. */
  readonly newest: string | undefined;
  /** Ids of the notes by kind, oldest first. */
  readonly notes: Readonly<Record<"catalogue" | "audit", readonly string[]>>;
}

/** Read before anything is listed: what a catalogue knows was there before this pass. */
export async function readKnownSessions(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  call: StoreCall,
): Promise<KnownSessions> {
  const points = new Map<string, SessionBase>();
  const dead = new Set<string>();
  const audited = new Set<string>();
  const ids: Record<"catalogue" | "audit", string[]> = { catalogue: [], audit: [] };
  let newest: string | undefined;
  for await (const note of notesOf("catalogue")) {
    const [known, ended] = note.fields.list("parts", decodeSessions);
    for (const point of known ?? []) points.set(sessionKey(point), point);
    for (const session of ended ?? []) dead.add(sessionKey(session));
    newest = catalogueText({ points: known ?? [], dead: ended ?? [] });
  }
  for await (const note of notesOf("audit"))
    for (const point of decodeSessions(note.fields)) audited.add(sessionKey(point));
  return { points, dead, audited, hasCatalogue: newest !== undefined, newest, notes: ids };

  async function* notesOf(kind: Extract<NoteKind, "catalogue" | "audit">) {
    for await (const note of listNotes(dependencies, kind, call)) {
      ids[kind].push(note.id);
      yield note;
    }
  }
}

/** Equal catalogues have equal texts. */
export function catalogueText(catalogue: {
  readonly points: readonly SessionBase[];
  readonly dead: readonly SessionBase[];
}): string {
  const text = (sessions: readonly SessionBase[]) => sessions.map(sessionKey).toSorted().join(" ");
  return `${text(catalogue.points)} | ${text(catalogue.dead)}`;
}
