import { openBlockCrew, type BlockCrew, type OpenBlockCrew } from "../blocks/block-crew.ts";
import type { RecoveredBlock, RecoverJob } from "../blocks/block-work.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";

interface Remembered {
  readonly recovered: RecoveredBlock;
  readonly plain: Uint8Array;
}

/**
 * Crews that open each sealed block once: what comes of equal bytes under equal keys is the same. For tests that look at
 * hundreds of copies of a repository which differ in one object.
 */
export function rememberBlocks(): OpenBlockCrew {
  const remembered = new Map<string, Remembered>();
  let slots: Pick<BlockCrew, "borrow" | "giveBack"> | undefined;
  return (idKey, options): BlockCrew => {
    const crew = openBlockCrew(idKey, options);
    slots ??= crew; // one pool for all: a MiB for each slot adds up
    return {
      ...crew,
      borrow: slots.borrow,
      giveBack: slots.giveBack,
      async recover(slot, job) {
        const key = keyOf(slot, job);
        const known = remembered.get(key);
        if (known !== undefined) {
          slot.plain.set(known.plain);
          return known.recovered;
        }
        const recovered = await crew.recover(slot, job);
        const plain =
          "damage" in recovered ? new Uint8Array(0) : new Uint8Array(slot.plain.subarray(0, job.plainBytes));
        remembered.set(key, { recovered, plain });
        return recovered;
      },
    };
  };
}

function keyOf(
  { packed }: BlockSlot,
  { itemKey, aad, id, codec, sealedBytes, plainBytes }: RecoverJob,
): string {
  const inputs = [itemKey, aad, id, Buffer.from([codec]), packed.subarray(0, sealedBytes)];
  return `${plainBytes} ${Buffer.concat(inputs).toString("latin1")}`;
}
