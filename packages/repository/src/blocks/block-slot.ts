/**
 * Room for one block on its way: plain bytes on one side, packed or sealed ones on the other. Its memory is handed to a
 * thread and back and used again, so that no block waits for a collector; while a job is under way both sides are empty.
 * (Memory shared by both was tried: the runtime copies into it byte by byte, three times slower.)
 */
export interface BlockSlot {
  readonly plain: Buffer;
  readonly packed: Buffer;
}

/** A sealed item can be larger than its block by this: number, tag, and what zstd adds to what can't be compressed. */
export const packedSlackBytes = 16 * 1024;

export function createBlockSlot(plainBytes: number): BlockSlot {
  return viewBlockSlot(new ArrayBuffer(plainBytes * 2 + packedSlackBytes));
}

/** The slot in this memory, as the thread that has it sees it. */
export function viewBlockSlot(memory: ArrayBuffer): BlockSlot {
  const plainBytes = (memory.byteLength - packedSlackBytes) / 2;
  return { plain: Buffer.from(memory, 0, plainBytes), packed: Buffer.from(memory, plainBytes) };
}
