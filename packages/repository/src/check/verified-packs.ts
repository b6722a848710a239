import { ByteReader } from "../format/byte-reader.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { laneKey } from "./pack-set.ts";

/** Packs of a lane that follow each other and were read at the same time. */
interface Run {
  readonly first: number;
  readonly count: number;
  /** Seconds since 1970. */
  readonly at: number;
}

interface Lane {
  readonly lane: Omit<PackAddress, "number">;
  readonly runs: Run[];
}

/**
 * When each pack was last read whole. A run of packs takes some 8 bytes, however long it is: what is read in the order of
 * its age and name stays a few runs a session.
 */
export class VerifiedPacks {
  readonly #lanes = new Map<string, Lane>();

  /** Seconds since 1970; 0: never. */
  find(pack: PackAddress): number {
    const runs = this.#lanes.get(laneKey(pack))?.runs ?? [];
    let [low, high] = [0, runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (runs[middle]!.first <= pack.number) low = middle + 1;
      else high = middle;
    }
    const run = runs[low - 1];
    return run !== undefined && pack.number < run.first + run.count ? run.at : 0;
  }

  /** Packs of one lane come in ascending order. */
  append(pack: PackAddress, at: number, count = 1): void {
    const { runs } = this.#lane(pack);
    const last = runs.at(-1);
    if (last !== undefined && last.at === at && last.first + last.count === pack.number) {
      runs[runs.length - 1] = { ...last, count: last.count + count };
    } else runs.push({ first: pack.number, count, at });
  }

  /** In the order of their names. */
  *packs(): Generator<PackAddress & { readonly at: number }> {
    for (const key of [...this.#lanes.keys()].sort()) {
      const { lane, runs } = this.#lanes.get(key)!;
      for (const { first, count, at } of runs) {
        for (let number = first; number < first + count; number++) yield { ...lane, number, at };
      }
    }
  }

  encode(): Uint8Array {
    const lanes = [...this.#lanes.keys()].sort().map((key) => this.#lanes.get(key)!);
    const writer = new ByteWriter(4096).u8(version).varint(lanes.length);
    for (const { lane, runs } of lanes) {
      writer
        .u8(lane.kind === "pack" ? 1 : 2)
        .hex(lane.session)
        .hex(lane.lane)
        .varint(runs.length);
      let next = 0;
      for (const { first, count, at } of runs) {
        writer
          .varint(first - next)
          .varint(count)
          .varint(at);
        next = first + count;
      }
    }
    return writer.finish();
  }

  static decode(bytes: Uint8Array, what: string): VerifiedPacks {
    const reader = new ByteReader(bytes, what);
    const verified = new VerifiedPacks();
    reader.expect(reader.u8(), version, "the version");
    for (let lanes = reader.varint(); lanes > 0; lanes--) {
      const kind = reader.u8() === 1 ? ("pack" as const) : ("map" as const);
      const lane = { kind, session: reader.hex(8), lane: reader.hex(4) };
      let number = 0;
      for (let runs = reader.varint(); runs > 0; runs--) {
        number += reader.varint();
        const count = reader.varint();
        if (number + count > maxPacks) throw reader.malformed("a run of packs is too long");
        verified.append({ ...lane, number }, reader.varint(), count);
        number += count;
      }
    }
    reader.end();
    return verified;
  }

  #lane(pack: PackAddress): Lane {
    const key = laneKey(pack);
    const { kind, session, lane } = pack;
    const known = this.#lanes.get(key) ?? { lane: { kind, session, lane }, runs: [] };
    this.#lanes.set(key, known);
    return known;
  }
}

const version = 1;
const maxPacks = 2 ** 24;
