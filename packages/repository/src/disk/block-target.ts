export interface TargetSummary {
  readonly blocksWritten: number;
  readonly bytesWritten: number;
  /** SHA-256 over the raw block digests in index order (EBS `LINEAR` aggregation), base64. */
  readonly linearChecksum: string;
}

/** The disk that a restore writes. Blocks arrive in ascending order of issue but may be written concurrently. */
export interface BlockTarget {
  /** Blocks never written read as zeros afterwards; when false, the restore writes zero blocks too. */
  readonly isZeroFilled: boolean;
  /** `sha256` is the digest of `bytes`, which are only lent: their memory is used again once the call has ended. Idempotent. */
  write(
    block: { readonly index: number; readonly bytes: Uint8Array; readonly sha256: Uint8Array },
    call: { readonly signal: AbortSignal },
  ): Promise<void>;
  /** Flushes; after it resolves the data is durable. The summary covers what this target wrote. */
  complete(call: { readonly signal: AbortSignal }): Promise<TargetSummary>;
  close(): Promise<void>;
}
