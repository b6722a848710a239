import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { parseJson, type JsonFields, type JsonObject } from "../format/json-fields.ts";
import { noteName, notePrefix, parseNoteName } from "../format/object-names.ts";
import { decodeObject, readSignedBody } from "../format/sealed-object.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { isDamage } from "../point/is-damage.ts";
import { newSessionId } from "../point/session-id.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { signObject, type KeeperDependencies } from "./sign-object.ts";

/** What a keeper remembers about a domain. Each can be rebuilt from the rest of the repository; none is needed to read it. */
export type NoteKind = "audit" | "verified" | "findings" | "locks" | "catalogue";

export interface Note {
  readonly kind: NoteKind;
  /** Sorts by the time of its making, like a session's id. */
  readonly id: string;
  readonly fields: JsonFields;
}

export type Keeper = KeeperDependencies & { readonly clock: Clock; readonly logger: Logger };

/** Adds a note; nothing is replaced. Answers its id. */
export async function writeNote(
  keeper: KeeperDependencies & { readonly clock: Clock },
  note: { readonly kind: NoteKind; readonly body: JsonObject },
  call: StoreCall,
): Promise<string> {
  const { keys, store } = keeper;
  for (;;) {
    const id = newSessionId(keeper);
    const name = noteName(keys.domain, note.kind, id);
    const bytes = signObject(keeper, { name, kind: "note", body: note.body });
    if ((await store.create(name, bytes, call)) === "created") return id;
    // A lost answer looks like a name that is taken.
    if (Buffer.compare(await store.read(name, call), bytes) === 0) return id;
  }
}

/**
 * The authentic notes of one kind, oldest first. One that is damaged, not the keeper's own, or of a newer key epoch than
 * the keys at hand is as if it were not there.
 */
export async function* listNotes(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  kind: NoteKind,
  call: StoreCall,
): AsyncGenerator<Note> {
  for await (const object of dependencies.store.list(notePrefix(dependencies.keys.domain, kind), call)) {
    const id = parseNoteName(object.key)?.id;
    const fields = id === undefined ? undefined : await readNote(dependencies, object.key, call);
    if (id !== undefined && fields !== undefined) yield { kind, id, fields };
  }
}

/** The authentic note of a kind that was made last, or nothing. Reads no other one, unless that is damaged. */
export async function readNewestNote(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  kind: NoteKind,
  call: StoreCall,
): Promise<Note | undefined> {
  const names: string[] = [];
  for await (const object of dependencies.store.list(notePrefix(dependencies.keys.domain, kind), call)) {
    if (parseNoteName(object.key) !== undefined) names.push(object.key);
  }
  for (const name of names.reverse()) {
    const fields = await readNote(dependencies, name, call);
    if (fields !== undefined) return { kind, id: parseNoteName(name)!.id, fields };
  }
  return undefined;
}

/** Deletes notes that others have taken the place of. One that is locked stays: the newest counts anyway. */
export async function deleteNotes(
  keeper: Pick<Keeper, "store" | "keys" | "logger">,
  notes: { readonly kind: NoteKind; readonly ids: readonly string[] },
  call: StoreCall,
): Promise<void> {
  for (const id of notes.ids) {
    const name = noteName(keeper.keys.domain, notes.kind, id);
    try {
      await keeper.store.delete(name, call);
    } catch (error) {
      if (!isGarrisonError(error) || error.code === "aborted") throw error;
      keeper.logger.warn({ note: name, code: error.code }, "an old note could not be deleted");
    }
  }
}

async function readNote(
  { store, keys }: { readonly store: ObjectStore; readonly keys: DomainKeys },
  name: string,
  call: StoreCall,
): Promise<JsonFields | undefined> {
  try {
    const object = decodeObject(keys, name, await store.read(name, call));
    const { isSigned, body } = readSignedBody(keys, object);
    return object.kind === "note" && isSigned ? parseJson(body, name) : undefined;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
