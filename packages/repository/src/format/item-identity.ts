import { createHash, createHmac, createSecretKey } from "node:crypto";
import type { DomainKeys } from "../keys/keys.ts";
import { ByteWriter } from "./byte-writer.ts";
import { itemKinds, type Codec, type ItemKind } from "./format-limits.ts";

/** Where a page belongs. Chunks have no place: they may move unopened. */
export interface ItemPlace {
  /** The series' keyed hash, 32 hex digits. */
  readonly series: string;
  readonly volumeId: string;
  /** First block of a page; number of a part of a table. */
  readonly position: number;
}

/** `HMAC(id key, SHA-256(block))`: the one digest serves the source's checksum, the id and the restore's checksum. */
export function chunkId(idKey: Uint8Array, sha256: Uint8Array): Uint8Array {
  return createHmac("sha256", createSecretKey(idKey)).update(sha256).digest();
}

/** Ids of everything else: the kind enters, so that no page can pass for a chunk. */
export function pageId(idKey: Uint8Array, kind: ItemKind, plain: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(plain).digest();
  return createHmac("sha256", createSecretKey(idKey)).update(Uint8Array.of(kind)).update(digest).digest();
}

type DomainName = Pick<DomainKeys, "repositoryId" | "domain">;

const itemLabel = Buffer.from("garrison/1/item\0");

export function chunkAad(
  keys: DomainName,
  chunk: { readonly id: Uint8Array; readonly plainBytes: number; readonly codec: Codec },
): Uint8Array {
  return new ByteWriter(160)
    .bytes(itemLabel)
    .hex(keys.repositoryId)
    .text(keys.domain)
    .u8(itemKinds.chunk)
    .bytes(chunk.id)
    .u32(chunk.plainBytes)
    .u8(chunk.codec)
    .finish();
}

export function pageAad(
  keys: DomainName,
  page: { readonly kind: ItemKind; readonly id: Uint8Array; readonly place: ItemPlace },
): Uint8Array {
  return new ByteWriter(256)
    .bytes(itemLabel)
    .hex(keys.repositoryId)
    .text(keys.domain)
    .u8(page.kind)
    .bytes(page.id)
    .hex(page.place.series)
    .text(page.place.volumeId)
    .u48(page.place.position)
    .finish();
}
