import { isGarrisonError } from "@garrison/core/garrison-error";
import { parseJson } from "../../format/json-fields.ts";
import { parseKeyName } from "../../format/key-marks.ts";
import { packName, parsePackName, parseSlotName } from "../../format/object-names.ts";
import { decodeRecord } from "../../format/point-record.ts";
import { decodeObject, readSignedBody, type OpenedObject } from "../../format/sealed-object.ts";
import { decodeMark } from "../../format/session-objects.ts";
import { decodeSessions } from "../../prune/session-sets.ts";
import type { ContentIds } from "../world/content-ids.ts";
import type { ContentPool } from "../world/content-pool.ts";
import type { SimulatedBucket } from "../world/simulated-bucket.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { Violation } from "../world/violation.ts";
import { ForwardBook } from "./forward-book.ts";
import { HeldItems } from "./held-items.ts";
import { ModelKeyring, type FirstKeys } from "./model-keyring.ts";
import type { ModelPoint, ReachedItem } from "./model-point.ts";
import { PackShelf } from "./pack-shelf.ts";
import { walkRecord, type VolumeContents } from "./record-walk.ts";
import { SealLedger } from "./seal-ledger.ts";
import { sealedObjectParts } from "./sealed-object-parts.ts";

export interface RepositoryModelOptions {
  readonly first: FirstKeys;
  readonly contents: ContentPool;
  readonly contentIds: ContentIds;
  readonly graceMs: number;
  readonly nowMs: () => number;
}

/**
 * Knows all plain bytes and sees every effect on the bucket as it happens. After each it checks what the engine promises;
 * the first broken promise is thrown.
 */
export class RepositoryModel {
  readonly keyring: ModelKeyring;
  readonly held: HeldItems;
  readonly forwards: ForwardBook;
  readonly #options: RepositoryModelOptions;
  readonly #bucket: SimulatedBucket;
  readonly #seals = new SealLedger();
  readonly #shelf: PackShelf;
  /** What each key was first given. */
  readonly #stored = new Map<string, Uint8Array>();
  /** What was ever sent for a key (and salt): equal keys and nonces must seal equal bytes. */
  readonly #sent = new Map<string, Uint8Array>();
  readonly #expected = new Map<string, ReadonlyMap<string, VolumeContents>>();
  #effects = 0;

  constructor(options: RepositoryModelOptions, bucket: SimulatedBucket) {
    this.#options = options;
    this.#bucket = bucket;
    const { contents, contentIds, graceMs, nowMs } = options;
    const keyring = new ModelKeyring(options.first);
    this.keyring = keyring;
    this.#shelf = new PackShelf({ keyring, contents, contentIds, seals: this.#seals });
    this.held = new HeldItems({ shelf: this.#shelf, graceMs, nowMs });
    this.forwards = new ForwardBook({ keyring, shelf: this.#shelf, bucket });
  }

  /** Whether a record was deleted by somebody who had no right to. */
  get hasVanished(): boolean {
    return [...this.held.points.values()].some((point) => point.isVanished);
  }

  passBegan(process: SimulatedProcess): void {
    this.#passes.push(process);
  }

  /** Whether a pass has noted that it saw the point, and every pass that goes on can have read the note. */
  isCatalogued(session: string): boolean {
    const unaware = this.#catalogued.get(session);
    return unaware !== undefined && !unaware.some(({ isAlive }) => isAlive);
  }

  /** Somebody who is none of us has deleted a record: what it reached stays held until the keeper ends the point. */
  vandalised(key: string): void {
    const point = this.held.points.get(parseSlotName(key)!.session);
    if (point !== undefined) point.isVanished = true;
  }

  /** What a session is to hold when it commits, by volume id. */
  expect(session: string, volumes: ReadonlyMap<string, VolumeContents>): void {
    this.#expected.set(session, volumes);
  }

  /** Points that were committed and have no tombstone, oldest first. */
  livePoints(): readonly ModelPoint[] {
    return [...this.held.points.values()].filter(
      (point) => point.endedAtMs === undefined && !point.isVanished,
    );
  }

  contentsOf(session: string): ReadonlyMap<string, VolumeContents> {
    return this.#expected.get(session) ?? new Map();
  }

  /** Whether a session's slot is filled by something that ends it without a point. */
  hasEnded(session: string): boolean {
    return !this.held.isOpen(session);
  }

  sent(key: string, bytes: Uint8Array): void {
    if (!this.#isOurs(key)) return;
    const name = parsePackName(key) === undefined ? `${key} salt ${saltOf(bytes)}` : key;
    const before = this.#sent.get(name);
    if (before === undefined) this.#sent.set(name, bytes);
    else if (Buffer.compare(before, bytes) !== 0) {
      throw new Violation(5, `other bytes than before were sealed for ${name}`);
    }
  }

  created(key: string, bytes: Uint8Array, by: SimulatedProcess): void {
    const epoch = parseKeyName(key);
    if (epoch?.kind === "epoch") this.keyring.addEpoch(epoch.epoch, bytes);
    if (!this.#isOurs(key)) return;
    this.#effects++;
    const before = this.#stored.get(key);
    const isSame = before === undefined || Buffer.compare(before, bytes) === 0;
    if (!isSame && !this.#isVoid(key)) throw new Violation(3, `${key} was given other bytes than before`);
    this.#stored.set(key, bytes);
    this.#noteLife(key);
    const pack = parsePackName(key);
    if (pack !== undefined) {
      const isMoved = this.#kindOf(pack.session) === "moves";
      if (before === undefined) this.#shelf.add(key, pack, { bytes, isMoved });
      return;
    }
    const object = this.#open(key, bytes);
    if (object === undefined) return;
    this.#seals.note(key, object.body, sealedObjectParts(bytes).sealed);
    if (object.kind === "note") this.#noted(object, by);
    else this.#note(object);
  }

  deleted(key: string): void {
    if (!this.#isOurs(key)) return;
    this.#effects++;
    const [, kind] = key.split("/");
    if (kind === "pack" || kind === "map") this.#deletedPack(key);
    else if (kind === "moved") this.forwards.remove(key);
    else if (kind === "point") this.#deletedSlot(key);
    else if (kind === "end") throw new Violation(3, `the tombstone ${key} was deleted`);
    else if (kind === "session") this.#requireEnded(key);
    else if (kind !== "note") throw new Violation(2, `${key} was deleted`);
    this.requireReadable();
  }

  /** Every address that somebody holds leads to its bytes, in its pack or by a forward. */
  requireReadable(): void {
    for (const holder of this.held.holders()) {
      for (const [pack, items] of holder.reach) {
        const lost = this.#bucket.has(pack) ? undefined : this.#findLost(pack, items);
        if (lost === undefined) continue;
        const check = holder.kind === "point" ? 1 : 2;
        throw new Violation(check, `byte ${lost.offset} of ${pack}, held by ${holder.name}, is gone`);
      }
    }
  }

  #findLost(pack: string, items: ReadonlyMap<number, ReachedItem>): ReachedItem | undefined {
    return [...items.values()].find((item) => !this.forwards.leadsToItem(pack, item));
  }

  /** A probe of the store's clock is no object of the domain. */
  #isOurs(key: string): boolean {
    return key.startsWith(`${this.keyring.keys.domain}/`);
  }

  #kindOf(session: string): string | undefined {
    return this.#sessionKinds.get(session);
  }

  #passes: SimulatedProcess[] = [];
  /** Points that a pass has noted, and the passes that had begun before it did. */
  readonly #catalogued = new Map<string, readonly SimulatedProcess[]>();
  readonly #slotKinds = new Map<string, string>();
  readonly #sessionKinds = new Map<string, string>();

  /**
   * Where other bytes count for nothing: in the slot of an ended point, and below `session/` when the session is over, for
   * a lane that slept through its end and was tidied away.
   */
  #isVoid(key: string): boolean {
    const [, kind, session] = key.split("/");
    if (kind === "session") return this.held.session(session!).slot !== "empty";
    const slot = kind === "point" ? parseSlotName(key) : undefined;
    if (slot === undefined) return false;
    return this.held.tombstones.has(slot.session) || this.held.points.get(slot.session)?.isVanished === true;
  }

  #noteLife(key: string): void {
    const [, kind, session] = key.split("/");
    if (kind !== "session" && kind !== "pack" && kind !== "map") return;
    this.held.session(session!).newestObjectAtMs = this.#options.nowMs();
  }

  #open(key: string, bytes: Uint8Array): OpenedObject | undefined {
    try {
      return decodeObject(this.keyring.keys, key, bytes);
    } catch (error) {
      if (!isGarrisonError(error)) throw error;
      throw new Violation(3, `${key} was given bytes that are not authentic`);
    }
  }

  /** What a slot was filled with last. */
  kindInSlot(key: string): string | undefined {
    return this.#slotKinds.get(key);
  }

  #note(object: OpenedObject): void {
    if (object.name.includes("/point/")) this.#slotKinds.set(object.name, object.kind);
    switch (object.kind) {
      case "open":
        return this.#opened(object);
      case "base":
        return this.#saidBase(object);
      case "mark":
        return this.#marked(object);
      case "tombstone":
        return this.#ended(object);
      case "forward":
        this.forwards.add(object);
        return this.requireReadable();
      case "record":
        return this.#committed(object);
      case "given-up":
      case "fence":
      case "moves":
        return this.#filled(object);
      default:
        return undefined;
    }
  }

  #opened(object: OpenedObject): void {
    const session = this.held.session(object.name.split("/")[2]!);
    const fields = parseJson(object.body, object.name);
    this.#sessionKinds.set(session.session, fields.text("kind"));
    session.isOpened = true;
    const saidAt = this.#effects;
    const bases = fields.list("bases", (base) => base.hex("session", 8));
    for (const base of bases) session.bases.push({ session: base, saidAt });
  }

  #saidBase(object: OpenedObject): void {
    const base = parseJson(object.body, object.name).hex("session", 8);
    this.held.session(object.name.split("/")[2]!).bases.push({ session: base, saidAt: this.#effects });
  }

  /**
   * All that a mark names is there, unless the session was declared dead meanwhile. Pages of a base keep their address when
   * they are moved.
   */
  #marked(object: OpenedObject): void {
    const session = object.name.split("/")[2]!;
    if (!this.held.isOpen(session)) return;
    const mark = decodeMark(object.body, object.name);
    const pages = mark.leaves.flatMap(({ page }) => (page === undefined ? [] : [page]));
    const { domain } = this.keyring.keys;
    const own = mark.packs.map((pack) => packName(domain, pack.kind, { ...pack, session }));
    const missing = [
      ...own.filter((key) => !this.#bucket.has(key)),
      ...pages.flatMap((page) => {
        const key = packName(domain, "map", { ...page, number: page.pack });
        return this.#bucket.has(key) || this.forwards.leadsToItem(key, page) ? [] : [key];
      }),
    ];
    if (missing.length > 0) throw new Violation(4, `${object.name} names ${missing[0]}, which is not there`);
  }

  #ended(object: OpenedObject): void {
    if (!readSignedBody(this.keyring.keys, object).isSigned) return;
    const { session } = parseSlotName(object.name)!;
    const point = this.held.points.get(session);
    // Of an earlier epoch than the record: whoever has got hold of old keys can't end what is newer.
    if (point !== undefined && object.epoch < point.epoch) return;
    this.held.tombstones.set(session, this.#effects);
    if (point === undefined) return;
    point.endedAtMs = this.#options.nowMs();
    this.held.release(point.reach);
  }

  #committed(object: OpenedObject): void {
    const { keys } = this.keyring;
    const { series, session } = parseSlotName(object.name)!;
    if (this.held.tombstones.has(session)) return;
    const state = this.held.session(session);
    const record = decodeRecord(object.body, object.name);
    const known = this.held.points.get(session);
    if (known?.isVanished === true) {
      // Its own record, late or once more: it is there again. Another lane's counts for nothing.
      known.isVanished = record.lane !== known.record.lane;
      return;
    }
    if (state.slot !== "empty") throw new Violation(3, `the slot of ${session} was filled twice`);
    const expected = this.contentsOf(session);
    const { contentIds } = this.#options;
    const reach = walkRecord({ keys, shelf: this.#shelf, contentIds, series, record, expected });
    this.held.requireAlive(session, reach);
    const committedAtMs = this.#options.nowMs();
    const { epoch } = object;
    const point = { session, series, record, epoch, reach, committedAtMs, isVanished: false };
    this.held.points.set(session, point);
    this.held.close(state, "record");
    this.#requireThere(session, reach);
  }

  #noted(object: OpenedObject, by: SimulatedProcess): void {
    if (!object.name.includes("/note/catalogue/")) return;
    const { body } = readSignedBody(this.keyring.keys, object);
    const [points] = parseJson(body, object.name).list("parts", decodeSessions);
    this.#passes = this.#passes.filter(({ isAlive }) => isAlive);
    const unaware = this.#passes.filter((pass) => pass !== by);
    for (const { session } of points ?? []) {
      if (!this.#catalogued.has(session)) this.#catalogued.set(session, unaware);
    }
  }

  #requireThere(session: string, reach: ModelPoint["reach"]): void {
    for (const [pack, items] of reach) {
      if (!this.#bucket.has(pack) && this.#findLost(pack, items) !== undefined)
        throw new Violation(4, `${session} was committed while ${pack} was not there`);
    }
  }

  #filled(object: OpenedObject): void {
    const { session } = parseSlotName(object.name)!;
    const state = this.held.session(session);
    if (this.held.points.get(session)?.isVanished === true) return;
    if (object.kind !== "given-up" && !readSignedBody(this.keyring.keys, object).isSigned) return;
    if (this.held.tombstones.has(session)) return;
    if (state.slot !== "empty") throw new Violation(3, `the slot of ${session} was filled twice`);
    this.held.close(state, object.kind as "given-up" | "fence" | "moves");
  }

  #deletedPack(key: string): void {
    const { session } = parsePackName(key)!;
    if (this.held.isOpen(session)) throw new Violation(2, `${key} of a running session was deleted`);
  }

  #deletedSlot(key: string): void {
    const { session } = parseSlotName(key)!;
    const point = this.held.points.get(session);
    const isEnded = this.held.tombstones.has(session);
    if (!isEnded || this.held.session(session).slot !== "record") {
      throw new Violation(3, `${key}, the slot of ${point === undefined ? "no" : "a"} point, was emptied`);
    }
  }

  #requireEnded(key: string): void {
    const session = key.split("/")[2]!;
    if (this.held.isOpen(session)) throw new Violation(2, `${key} of a running session was deleted`);
  }
}

function saltOf(bytes: Uint8Array): string {
  return Buffer.from(sealedObjectParts(bytes).salt).toString("hex");
}
