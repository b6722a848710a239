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

export interface CreateCall extends StoreCall {
  /** Asks the store to refuse deletion until then. A store without locks ignores it. */
  readonly retainUntilMs?: number;
}

/** `exists` means that an object of that name was there before; its bytes may or may not be these. */
export type CreateOutcome = "created" | "exists";

export interface ObjectStore {
  /** The address without secrets, for messages. */
  readonly address: string;

  /**
   * Creates a whole object if there is none of that name (`If-None-Match: *`), never a partial one; once it answers, the
   * object is durable. Safe to repeat with the same bytes. Throws `store-unavailable` (retryable) when the outcome is not
   * known, `store-full`, `store-access-denied`, `store-credentials-expired`.
   */
  create(key: string, bytes: Uint8Array, call: CreateCall): Promise<CreateOutcome>;

  /** Reads an object or a range of it. Throws `object-missing`; a range beyond the end is `object-truncated`. */
  read(key: string, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array>;

  /** Objects whose key begins with `prefix`, in byte order, strictly after `startAfter`. Pages are fetched as needed. */
  list(prefix: string, call: StoreCall & { readonly startAfter?: string }): AsyncIterable<StoredObject>;

  /** Names directly under `prefix` (which ends in `/`), up to and with the next `/`, in byte order. */
  listFolders(prefix: string, call: StoreCall): AsyncIterable<string>;

  /**
   * Deletes an object; one that is not there is no error. Only the keeper's store allows it. Where versions are kept it
   * only hides the object: the keeper deletes versions instead.
   */
  delete(key: string, call: StoreCall): Promise<void>;

  /** Absent where the store keeps neither versions nor locks: a deleted object is gone, and nothing can be replaced. */
  readonly versions?: ObjectVersions;
}

/** One version of an object. */
export interface VersionName {
  readonly key: string;
  readonly versionId: string;
}

export interface StoredVersion extends StoredObject, VersionName {
  readonly isLatest: boolean;
  /** Hides the versions before it and holds no bytes. */
  readonly isDeleteMarker: boolean;
}

/** `governance` yields to whoever has a special right (that is never used here), `compliance` to nobody. */
export type LockMode = "governance" | "compliance";

export interface Retention {
  readonly mode: LockMode;
  readonly untilMs: number;
}

/**
 * What a store that keeps versions adds, for the keeper and for readers that look behind a delete marker. We create each
 * key once, so that every further version, and every marker, is somebody else's.
 */
export interface ObjectVersions {
  /** What `retainUntilMs` asks for. Absent where versions are kept without locks. */
  readonly lockMode?: LockMode;

  /**
   * All versions of the keys that begin with `prefix`: keys in byte order after `startAfter`; of one key the latest first,
   * and what holds bytes from the newest to the oldest. Where markers stand in between is known to the second only.
   */
  list(prefix: string, call: StoreCall & { readonly startAfter?: string }): AsyncIterable<StoredVersion>;

  /** As `ObjectStore.listFolders`, but names of which only hidden versions are left come too. */
  listFolders(prefix: string, call: StoreCall): AsyncIterable<string>;

  /** As `ObjectStore.read`, of one version. */
  read(version: VersionName, call: StoreCall & { readonly range?: ByteRange }): Promise<Uint8Array>;

  /**
   * Deletes a version (or a marker) for good; one that is not there is no error. Throws `object-locked`, with the date in
   * `details.untilMs` as far as it may be read.
   */
  delete(version: VersionName, call: StoreCall): Promise<void>;

  /** Until when a version can't be deleted; nothing if it never was locked. The date may lie in the past. */
  readRetention(version: VersionName, call: StoreCall): Promise<Retention | undefined>;

  /**
   * Locks a version until `untilMs` or leaves it locked longer: a date never sinks. Throws `locks-unsupported` where there
   * is no `lockMode`.
   */
  extendRetention(version: VersionName, untilMs: number, call: StoreCall): Promise<void>;
}
