import type { PointRecord } from "../../format/point-record.ts";

/** An item that a point's map, table or hooks name. */
export interface ReachedItem {
  readonly offset: number;
  readonly length: number;
}

/** All that a restore of a point may read, by the name of the pack that held it first, then by offset. */
export type Reach = ReadonlyMap<string, ReadonlyMap<number, ReachedItem>>;

export interface ModelPoint {
  readonly session: string;
  /** The series' keyed hash. */
  readonly series: string;
  readonly record: PointRecord;
  /** Of the keys that its record is sealed with. */
  readonly epoch: number;
  readonly reach: Reach;
  readonly committedAtMs: number;
  endedAtMs?: number;
  /** Its record was deleted by somebody who had no right to. */
  isVanished: boolean;
}

export interface ModelBase {
  readonly session: string;
  /** Which effect on the bucket `open` or `base-n` with its name was. */
  readonly saidAt: number;
}

export interface ModelSession {
  readonly session: string;
  isOpened: boolean;
  readonly bases: ModelBase[];
  slot: "empty" | "record" | "given-up" | "fence" | "moves";
  newestObjectAtMs: number;
}

/** Who holds a reach, and why it may not be touched. */
export interface Holder {
  readonly name: string;
  readonly reach: Reach;
  /** `point`: its bytes must be readable. `base`: what a running session may come to refer to. `grace`: ended lately. */
  readonly kind: "point" | "base" | "grace";
}

/** `pack@offset`. */
export const itemName = (pack: string, offset: number): string => `${pack}@${offset}`;
