/** The unit of images, and of the EBS direct APIs (https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-elements.html). */
export const blockSizeBytes = 512 * 1024;

/** One block that a source may hold something in. */
export interface BlockReference {
  readonly index: number;
  /** What the source needs to read it (EBS block token). */
  readonly token?: string;
  /** The block was there in the base and is gone now: it reads as zeros. */
  readonly isZero?: boolean;
}

export interface ReadBlock {
  /** SHA-256 of the block when the source has verified it; saves hashing it again. */
  readonly sha256?: Uint8Array;
}

/** The disk that a backup reads. */
export interface BlockSource {
  /** Size of the disk; the last block may lie partly beyond it. */
  readonly sizeBytes: number;
  /** Names the frozen state that is read (`ebs:snap-0abc`, a file with size and time): resuming needs the same one. */
  readonly identity: string;
  /** `full`: blocks not listed are zero. `changes`: blocks not listed are as in the parent restore point. */
  readonly coverage: "full" | "changes";
  /** Blocks in ascending order, from `fromBlock`. Pages are fetched as needed. */
  list(call: { readonly signal: AbortSignal; readonly fromBlock?: number }): AsyncIterable<BlockReference>;
  /**
   * References for any blocks, listed or not, in the ascending order in which they are asked for; `isZero` for those that
   * hold nothing. A source of changes without it can't heal a parent that has lost blocks, nor be sampled against it.
   */
  locate?(blocks: Iterable<number>, call: { readonly signal: AbortSignal }): AsyncIterable<BlockReference>;
  /**
   * Reads one block, zero-padded, into the first `blockSizeBytes` of `into`, and verifies what the source has to verify
   * it by. May be called concurrently.
   */
  read(
    reference: BlockReference,
    into: Uint8Array,
    call: { readonly signal: AbortSignal },
  ): Promise<ReadBlock>;
  close(): Promise<void>;
}
