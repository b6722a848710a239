import { KiB, MiB, TiB } from "@garrison/core/units";

/** Numbers that are part of the format (docs/repository-format.md); none may change within version 1. */
export const formatVersion = 1;
/** Number of the first master key; each rotation adds the next. */
export const firstEpoch = 1;
/** So many rotations; an epoch has two bytes. */
export const maxEpochs = 1024;
export const idBytes = 32;
export const tagBytes = 16;
/** The running number in front of each sealed item of a pack. */
export const itemNumberBytes = 4;
export const itemOverheadBytes = itemNumberBytes + tagBytes;
export const leafEntries = 512;
export const interiorEntries = 512;
/** Blocks below one interior page. */
export const interiorBlocks = leafEntries * interiorEntries;
/** Leaves of one map. */
export const maxLeaves = interiorEntries * interiorEntries;
export const maxVolumeBytes = 64 * TiB;
/** An entry of a stream's leaf has three bytes for the length; no chunk is larger than this. */
export const maxStreamChunkBytes = 4 * MiB;
export const maxVolumes = 128;
export const maxPackBytes = 32 * MiB;
export const maxPackItems = 4096;
/** Tables and hooks are cut into items of at most this size. */
export const maxPartBytes = 4 * MiB;
export const maxSmallObjectBytes = 32 * MiB;
export const maxDescriptionBytes = 512 * KiB;

/** Item kinds in a pack; they enter every item's authenticated data. */
export const itemKinds = { chunk: 1, leaf: 2, interior: 3, table: 4, hooks: 5 } as const;
export type ItemKind = (typeof itemKinds)[keyof typeof itemKinds];

/** `image`: a disk, cut into blocks. `stream`: bytes whose number shows at their end, cut by their content. */
export type VolumeKind = "image" | "stream";

/** The level byte of a page: 0 a leaf, 1 an inner page, 2 the root; 16 more in the map of a stream. */
export type PageLevel = 0 | 1 | 2;
export function levelByte(level: PageLevel, kind: VolumeKind): number {
  return kind === "stream" ? level + 16 : level;
}

/** 0 as it is, 1 zstd. */
export type Codec = 0 | 1;
