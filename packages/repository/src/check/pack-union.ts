import type { PackKind, PackName } from "../format/object-names.ts";
import { PackTable, type PackUse } from "../format/pack-table.ts";
import type { VolumePlace } from "../point/page-reader.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

interface SessionPacks {
  readonly table: PackTable;
  count: number;
  readonly places: VolumePlace[];
}

/**
 * All packs that any of many tables mentions, once each; `references` counts the volumes that do. It holds at most about
 * `limit` packs: when there are more, it keeps the sessions that sort first, and `end` says where the next round goes on.
 */
export class PackUnion {
  readonly #limit: number;
  readonly #from: string;
  readonly #sessions = new Map<string, SessionPacks>();
  #count = 0;
  #end: string | undefined;

  constructor(options: { readonly limit: number; readonly from?: string }) {
    this.#limit = options.limit;
    this.#from = options.from ?? "";
  }

  /** Packs that it holds. */
  get size(): number {
    return this.#count;
  }

  get from(): string {
    return this.#from;
  }

  /** The first session that found no room, or nothing. */
  get end(): string | undefined {
    return this.#end;
  }

  covers(session: string): boolean {
    return session >= this.#from && (this.#end === undefined || session < this.#end);
  }

  /** `place`: a volume whose pages may be among the map packs of this table. */
  add(table: PackTable, place?: VolumePlace): void {
    for (const kind of packKinds) {
      for (const use of table.uses(kind)) if (this.covers(use.session)) this.#add(use, place);
    }
    while (this.#count > this.#limit && this.#sessions.size > 1) this.#dropLast();
  }

  /** For a pack of which no table tells. */
  learnSize({ kind, session, lane, number }: PackUse, sizeBytes: number): void {
    this.#sessions.get(session)?.table.describe(kind, { session, lane, number }, { items: 0, sizeBytes });
  }

  find(kind: PackKind, name: PackName): PackUse | undefined {
    const use = this.#sessions.get(name.session)?.table.find(kind, name);
    return use === undefined || use.references === 0 ? undefined : use;
  }

  /** Volumes whose pages may lie in the session's map packs. */
  placesOf(session: string): readonly VolumePlace[] {
    return this.#sessions.get(session)?.places ?? [];
  }

  /** In the order of their names. */
  *uses(kind: PackKind): Generator<PackUse> {
    for (const session of [...this.#sessions.keys()].sort())
      yield* this.#sessions.get(session)!.table.uses(kind);
  }

  #add(use: PackUse, place: VolumePlace | undefined): void {
    const packs = this.#packsOf(use.session);
    const known = packs.table.find(use.kind, use);
    if (known === undefined || known.references === 0) {
      packs.count++;
      this.#count++;
    }
    packs.table.addReference(use.kind, use, 1);
    if (use.sizeBytes > 0) packs.table.describe(use.kind, use, use);
    if (use.kind === "map" && place !== undefined) addPlace(packs.places, place);
  }

  #packsOf(session: string): SessionPacks {
    let packs = this.#sessions.get(session);
    if (packs === undefined) {
      packs = { table: new PackTable(), count: 0, places: [] };
      this.#sessions.set(session, packs);
    }
    return packs;
  }

  #dropLast(): void {
    let last = "";
    for (const session of this.#sessions.keys()) if (session > last) last = session;
    this.#count -= this.#sessions.get(last)!.count;
    this.#sessions.delete(last);
    this.#end = last;
  }
}

function addPlace(places: VolumePlace[], place: VolumePlace): void {
  const isKnown = places.some(
    ({ series, volumeId }) => series === place.series && volumeId === place.volumeId,
  );
  if (!isKnown) places.push(place);
}
