/** What travels in one piece of that size often: a block of an EBS snapshot. */
export const blockBufferBytes = 512 * 1024;
/** 16 MiB: as many blocks as a busy client has under way. */
const keptBuffers = 32;

/** Memory for blocks, used again: the first touch of fresh memory costs more than everything else a block needs. */
export class BlockBuffers {
  readonly #free: Buffer[] = [];

  /** Holds anything. Nobody else has it until it is given back. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBufferBytes);
  }

  giveBack(buffer: Buffer): void {
    if (this.#free.length < keptBuffers) this.#free.push(buffer);
  }
}
