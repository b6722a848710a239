/** Where a repository's objects live. Every implementation passes `object-store-contract.ts`. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** The store's own clock, whole seconds on S3. */
  readonly modifiedMs: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface StoreCall {
  readonly signal: AbortSignal;
}

/** `exists` means that an object of that name was there before; its bytes may or may not be these. */
export type CreateOutcome = "created" | "exists";

export interface ObjectStore {
  /** The address without secrets, for messages. */
  readonly address: string;

  /**
   * Creates a whole object if there is none of that name (`If-None-Match: *`), never a partial one. Safe to repeat with
   * the same bytes. Throws `store-unavailable` (retryable) when the outcome is not known, `store-full`,
   * `store-access-denied`, `store-credentials-expired`.
   */
  create(key: string, bytes: Uint8Array, call: StoreCall): Promise<CreateOutcome>;

  /** Reads an object or a range of it. Throws `object-missing`; a range beyond the end is `object-truncated`. */
  read(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array>;

  /** Objects whose key begins with `prefix`, in byte order, strictly after `startAfter`. Pages are fetched as needed. */
  list(prefix: string, call: StoreCall & { readonly startAfter?: string }): AsyncIterable<StoredObject>;

  /** Names directly under `prefix` (which ends in `/`), up to and with the next `/`, in byte order. */
  listFolders(prefix: string, call: StoreCall): AsyncIterable<string>;

  /** Deletes an object; one that is not there is no error. Only the keeper's store allows it. */
  delete(key: string, call: StoreCall): Promise<void>;
}
