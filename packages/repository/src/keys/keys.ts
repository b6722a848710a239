/** The keys of one epoch of a domain: all that differs when the repository's master key is rotated. */
export interface EpochKeys {
  /** 1 for the repository's first master key. */
  readonly epoch: number;
  readonly mapKey: Uint8Array;
  readonly pointKey: Uint8Array;
  /** Ed25519, verifies what the keeper signed in this epoch: fences, moves, tombstones, forwards, notes. */
  readonly controlPublicKey: Uint8Array;
}

/**
 * What a holder of one domain may know, derived from the master keys (docs/repository-format.md, Keys). A worker gets
 * these sealed with its task; never a master key. `epoch`, `mapKey`, `pointKey` and `controlPublicKey` are those of the
 * newest epoch, with which everything new is sealed; what is read may be of any of `epochs`.
 */
export interface DomainKeys extends EpochKeys {
  readonly repositoryId: string;
  readonly domain: string;
  /** The first epoch's for ever, so that equal blocks stay equal across a rotation. */
  readonly idKey: Uint8Array;
  /** All epochs, first one first. */
  readonly epochs: readonly EpochKeys[];
}

/** The right to write one session's data in one lane. */
export interface SessionGrant {
  /** 16 hex digits: 5 bytes of the store's seconds, 3 random. */
  readonly sessionId: string;
  /** 8 hex digits, drawn anew for each worker and retry. */
  readonly laneId: string;
  /** Epoch of `dataKey`; it must be that of the domain's keys. */
  readonly epoch: number;
  readonly dataKey: Uint8Array;
}

/** Data keys of the sessions whose chunks a restore point refers to, by session id. */
export type SessionKeys = ReadonlyMap<string, Uint8Array>;

/** The keys at hand, or a way to derive them for whoever holds the master keys. */
export type SessionKeySource = SessionKeys | ((sessionId: string, epoch: number) => Uint8Array);

/** A session and the epoch that its data was sealed in. */
export interface SessionEpoch {
  readonly sessionId: string;
  readonly epoch: number;
}
