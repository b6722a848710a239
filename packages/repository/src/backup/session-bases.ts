import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { isObjectError } from "../store/is-object-error.ts";
import { formatJson, parseJson } from "../format/json-fields.ts";
import { baseName, basePrefix } from "../format/object-names.ts";
import type { PointRecord } from "../format/point-record.ts";
import { decodeObject, encodeObject } from "../format/sealed-object.ts";
import type { SessionBase, SessionOpen } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { readSlot, readTombstone } from "../point/read-slot.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface BaseDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly random: Random;
  readonly logger: Logger;
}

/** Bases that a session may add while it runs. */
export const maxLaterBases = 16;

/**
 * The handshake with a base that is stored already (in `open`, or as `base-n`): its tombstone is absent, then its record
 * is present and authentic. Only after both may the session refer to what the base reaches.
 */
export async function shakeHands(
  dependencies: BaseDependencies,
  base: SessionBase,
  call: StoreCall,
): Promise<PointRecord | undefined> {
  try {
    if ((await readTombstone(dependencies, base, call)) !== "none") return undefined;
    const content = await readSlot(dependencies, base, call);
    return content?.state === "point" ? content.record : undefined;
  } catch (error) {
    if (!isObjectError(error)) throw error;
    dependencies.logger.warn({ base: base.session, code: error.code }, "a restore point is not readable");
    return undefined;
  }
}

/** Adds a base under the first free number, tried from `firstNumber` on. Names of other lanes are left alone: a base that is named twice does no harm. */
export async function storeBase(
  dependencies: BaseDependencies,
  added: { readonly sessionId: string; readonly base: SessionBase; readonly firstNumber?: number },
  call: StoreCall,
): Promise<void> {
  const { keys, random, store } = dependencies;
  const body = formatJson({ ...added.base });
  for (let number = added.firstNumber ?? 0; ; number++) {
    const name = baseName(keys.domain, added.sessionId, number);
    const bytes = encodeObject(keys, random, { name, kind: "base", body });
    if ((await store.create(name, bytes, call)) === "created") return;
  }
}

/** A point whose blocks the session may refer to. */
export interface HeldBase {
  readonly base: SessionBase;
  readonly record: PointRecord;
  /**
   * Named by an earlier lane: what that lane took from it is taken over. Whether it shook hands is not known (it may have
   * died before, or the base may have ended before it was named), so that nothing new is taken without a handshake.
   */
  readonly isEarlier?: true;
}

/**
 * The restore points whose blocks a session may refer to: those it was opened with, those that earlier lanes added, and
 * look-alikes that are found while it runs. What is named under the session is a root of every prune until it ends.
 */
export class SessionBases {
  readonly #dependencies: BaseDependencies;
  readonly #sessionId: string;
  readonly #call: StoreCall;
  readonly #held = new Map<string, HeldBase>();
  /** Bases stored as `base-n`, whatever became of them. */
  readonly #stored: Set<string>;
  readonly #refused = new Set<string>();

  constructor(
    dependencies: BaseDependencies,
    session: {
      readonly sessionId: string;
      readonly held: readonly HeldBase[];
      readonly stored: readonly SessionBase[];
    },
    call: StoreCall,
  ) {
    this.#dependencies = dependencies;
    this.#sessionId = session.sessionId;
    this.#call = call;
    this.#stored = new Set(session.stored.map(keyOf));
    for (const held of session.held) this.#held.set(keyOf(held.base), held);
  }

  /** All that may be referred to, for the record. */
  get held(): readonly HeldBase[] {
    return [...this.#held.values()];
  }

  /** Stores a base and shakes hands with it. Nothing when it has ended, is not readable, or there are enough. */
  async add(base: SessionBase): Promise<PointRecord | undefined> {
    const key = keyOf(base);
    const before = this.#held.get(key);
    if (before !== undefined && before.isEarlier !== true) return before.record;
    if (this.#refused.has(key)) return undefined;
    if (!this.#stored.has(key)) {
      if (this.#stored.size >= maxLaterBases) return undefined;
      const firstNumber = this.#stored.size;
      this.#stored.add(key);
      await storeBase(this.#dependencies, { sessionId: this.#sessionId, base, firstNumber }, this.#call);
    }
    const record = await shakeHands(this.#dependencies, base, this.#call);
    if (record === undefined) this.#refused.add(key);
    else this.#held.set(key, { base, record });
    return record;
  }
}

function keyOf(base: SessionBase): string {
  return `${base.series}/${base.session}`;
}

/**
 * What earlier lanes were opened with or have added; read after their marks, since a base is stored before anything refers
 * to it. Only a lane that shook hands referred to a base, and from then on the session's name
 * protected it: so its record is there, ended or not. One whose record is not there was never referred to.
 */
export async function readEarlierBases(
  dependencies: BaseDependencies,
  session: { readonly sessionId: string; readonly opened: SessionOpen },
  call: StoreCall,
): Promise<{ readonly stored: readonly SessionBase[]; readonly held: readonly HeldBase[] }> {
  const { keys, store } = dependencies;
  const stored: SessionBase[] = [];
  for await (const object of store.list(basePrefix(keys.domain, session.sessionId), call)) {
    const base = await readBase(dependencies, object.key, call);
    if (base !== undefined) stored.push(base);
  }
  const held: HeldBase[] = [];
  for (const base of [...session.opened.bases, ...stored]) {
    const record = await readHeldRecord(dependencies, base, call);
    if (record !== undefined) held.push({ base, record, isEarlier: true });
  }
  return { stored, held };
}

async function readBase(
  dependencies: BaseDependencies,
  name: string,
  call: StoreCall,
): Promise<SessionBase | undefined> {
  return leaveAside(dependencies, name, async () => {
    const object = decodeObject(dependencies.keys, name, await dependencies.store.read(name, call));
    if (object.kind !== "base") return undefined;
    const fields = parseJson(object.body, name);
    return { series: fields.hex("series", 16), session: fields.hex("session", 8) };
  });
}

async function readHeldRecord(
  dependencies: BaseDependencies,
  base: SessionBase,
  call: StoreCall,
): Promise<PointRecord | undefined> {
  return leaveAside(dependencies, base.session, async () => {
    const content = await readSlot(dependencies, base, call);
    return content?.state === "point" ? content.record : undefined;
  });
}

async function leaveAside<Result>(
  dependencies: BaseDependencies,
  name: string,
  read: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isObjectError(error)) throw error;
    dependencies.logger.warn({ base: name, code: error.code }, "a base is not readable and is left aside");
    return undefined;
  }
}
