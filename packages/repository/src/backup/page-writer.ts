import { maxPartBytes, type ItemKind } from "../format/format-limits.ts";
import { pageAad, pageId } from "../format/item-identity.ts";
import { packPayload } from "../format/page-payload.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { VolumePlace } from "../point/page-reader.ts";
import type { PackStream } from "./pack-stream.ts";

export interface NewPage {
  readonly kind: ItemKind;
  /** Number of the volume in its session. */
  readonly volume: number;
  readonly position: number;
  readonly plain: Uint8Array;
  readonly id: Uint8Array;
}

/** Seals pages into the session's map packs. */
export interface PageWriter {
  idOf(kind: ItemKind, plain: Uint8Array): Uint8Array;
  write(place: VolumePlace, page: NewPage): Promise<ItemAddress>;
  /** Cuts a table or hooks into parts. */
  writeParts(
    place: VolumePlace,
    whole: { readonly kind: ItemKind; readonly volume: number; readonly plain: Uint8Array },
  ): Promise<readonly ItemAddress[]>;
}

export function openPageWriter(
  owner: { readonly keys: DomainKeys; readonly session: string; readonly lane: string },
  stream: PackStream,
): PageWriter {
  const { keys, session, lane } = owner;
  const idOf = (kind: ItemKind, plain: Uint8Array) => pageId(keys.idKey, kind, plain);
  const write = async (place: VolumePlace, page: NewPage): Promise<ItemAddress> => {
    const { kind, volume, position, plain, id } = page;
    const aad = pageAad(keys, { kind, id, place: { ...place, position } });
    const item = { kind, codec: 0, volume, position, plainBytes: plain.length, id } as const;
    return { id, session, lane, ...(await stream.append(item, packPayload(plain), aad)) };
  };
  return {
    idOf,
    write,
    async writeParts(place, whole) {
      const addresses: ItemAddress[] = [];
      for (let start = 0; start === 0 || start < whole.plain.length; start += maxPartBytes) {
        const plain = whole.plain.subarray(start, start + maxPartBytes);
        const part = { ...whole, plain, position: addresses.length, id: idOf(whole.kind, plain) };
        addresses.push(await write(place, part));
      }
      return addresses;
    },
  };
}
