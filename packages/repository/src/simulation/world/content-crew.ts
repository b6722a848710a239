import type { BlockCrew, OpenBlockCrew } from "../../blocks/block-crew.ts";
import type { BlockSlot } from "../../blocks/block-slot.ts";
import { chunkId } from "../../format/item-identity.ts";
import { openItem } from "../../format/pack-container.ts";
import { IdTable } from "../../similarity/id-table.ts";
import { wordBytes, type ContentPool } from "./content-pool.ts";

const packedBytes = 512;

/**
 * A crew to whom blocks cost nothing. In its slots a block's word stands for the block, and the payload that belongs to
 * its content for the compressed block. Ids are those of the whole blocks, sealing and opening are real; only copying,
 * hashing and compressing half a MiB is left out.
 */
export function openContentCrew(contents: ContentPool): OpenBlockCrew {
  return (idKey): BlockCrew => {
    const idOf = (content: number) => chunkId(idKey, contents.sha256Of(content));
    return {
      busyJobs: 1,
      borrow: (): BlockSlot => ({ plain: Buffer.alloc(wordBytes), packed: Buffer.alloc(packedBytes) }),
      giveBack: () => undefined,
      prepare: async (slot, job) => {
        const content = contents.contentOfWord(slot.plain)!;
        const id = idOf(content);
        if (job.expectedId !== undefined && Buffer.compare(id, job.expectedId) === 0) return { id };
        if (job.known?.some((memory) => new IdTable(memory).has(id)) === true) return { id };
        const payload = contents.payloadOf(content);
        slot.packed.set(payload);
        return { id, payload: { codec: 1, sizeBytes: payload.length } };
      },
      recover: async (slot, job) => {
        const payload = openItem(job.itemKey, job.aad, slot.packed.subarray(0, job.sealedBytes));
        if (payload === undefined) return { damage: "tag" };
        const content = contents.contentOfPayload(payload);
        if (content === undefined) return { damage: "compression" };
        if (Buffer.compare(idOf(content), job.id) !== 0) return { damage: "id" };
        slot.plain.set(contents.wordOf(content));
        return { sha256: contents.sha256Of(content) };
      },
      close: async () => undefined,
    };
  };
}
