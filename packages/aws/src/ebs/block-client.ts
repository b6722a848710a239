export interface BlockRead {
  readonly snapshotId: string;
  readonly index: number;
  /** From a listing of the same snapshot. */
  readonly token: string | undefined;
  /**
   * Memory of one block that the bytes are put into; absent: fresh memory, whose first touch costs more than the call.
   * Nobody else may use it until the call has ended; after a failure it holds anything.
   */
  readonly into?: Uint8Array;
}

export interface BlockWrite {
  /** Pending, begun by StartSnapshot. */
  readonly snapshotId: string;
  readonly index: number;
  /** One block, whole; only lent, read until the call ends. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`. */
  readonly sha256: Uint8Array;
}

export interface FetchedBlock {
  /** The caller's: nobody else holds this memory. All of `into` where that was given. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, equal to the one that EBS sent. */
  readonly sha256: Uint8Array;
}

/**
 * The two calls of EBS direct that are made once a block. Each is one try: what fails comes back as a named error, whose
 * `details` hold `awsCode`, `reason` and `requestId` where AWS told them, and the caller decides about repeating. A call
 * whose signal fires ends at once as `aborted`.
 */
export interface BlockClient {
  /** Throws `ebs-block-damaged` when what came isn't one whole block with the checksum that EBS gives for it. */
  get(block: BlockRead, call: { readonly signal: AbortSignal }): Promise<FetchedBlock>;
  put(block: BlockWrite, call: { readonly signal: AbortSignal }): Promise<void>;
  /** Ends what is under way as `aborted`. */
  close(): void;
}
