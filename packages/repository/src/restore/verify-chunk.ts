import type { BlockCrew } from "../blocks/block-crew.ts";
import type { Codec } from "../format/format-limits.ts";
import { chunkAad } from "../format/item-identity.ts";
import { openItem, packKey, type PackAddress } from "../format/pack-container.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { Repository } from "../keys/open-repository.ts";
import type { ChunkDamage } from "./chunk-reader.ts";

export interface StoredChunk {
  /** As it lies in a pack: number, ciphertext, tag. */
  readonly stored: Uint8Array;
  /** Whose key opens it. */
  readonly sealedIn: PackAddress;
  readonly id: Uint8Array;
  readonly codec: Codec;
  readonly plainBytes: number;
}

/** Opens a chunk that is at hand, wherever it came from, and says how it is damaged, if it is. Keeps no bytes of it. */
export async function verifyChunk(
  owner: { readonly keys: DomainKeys; readonly repository: Repository; readonly crew: BlockCrew },
  chunk: StoredChunk,
): Promise<ChunkDamage | undefined> {
  const { stored, id, codec, plainBytes } = chunk;
  const aad = chunkAad(owner.keys, { id, plainBytes, codec });
  const itemKey = findKey(owner, chunk, aad);
  if (itemKey === undefined) return "tag";
  const slot = owner.crew.borrow(plainBytes);
  try {
    if (stored.length > slot.packed.length) return "length";
    slot.packed.set(stored);
    const job = { sealedBytes: stored.length, plainBytes, itemKey, aad, id, codec };
    const recovered = await owner.crew.recover(slot, job);
    return "damage" in recovered ? recovered.damage : undefined;
  } finally {
    owner.crew.giveBack(slot);
  }
}

/** An item doesn't say its epoch: with the keys of several at hand, the tag shows which one it is. */
function findKey(
  owner: { readonly keys: DomainKeys; readonly repository: Repository },
  { stored, sealedIn }: StoredChunk,
  aad: Uint8Array,
): Uint8Array | undefined {
  const { keys, repository } = owner;
  const keyOf = (epoch: number) =>
    packKey(repository.sessionDataKey(keys.domain, sealedIn.session, epoch), sealedIn);
  if (keys.epochs.length === 1) return keyOf(keys.epoch);
  return tryEpochs(keys, ({ epoch }) => {
    const key = keyOf(epoch);
    return openItem(key, aad, stored) === undefined ? undefined : key;
  });
}
