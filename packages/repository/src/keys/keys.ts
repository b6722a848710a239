/**
 * What a holder of one domain may know, derived from the master key (docs/repository-format.md, Keys). A worker gets
 * these sealed with its task; never the master key.
 */
export interface DomainKeys {
  readonly repositoryId: string;
  readonly domain: string;
  readonly idKey: Uint8Array;
  readonly mapKey: Uint8Array;
  readonly pointKey: Uint8Array;
  /** Ed25519, verifies fences, moves and tombstones. */
  readonly controlPublicKey: Uint8Array;
}

/** The right to write one session's data in one lane. */
export interface SessionGrant {
  /** 16 hex digits: 5 bytes of the store's seconds, 3 random. */
  readonly sessionId: string;
  /** 8 hex digits, drawn anew for each worker and retry. */
  readonly laneId: string;
  readonly dataKey: Uint8Array;
}

/** Data keys of the sessions whose chunks a restore point refers to, by session id. */
export type SessionKeys = ReadonlyMap<string, Uint8Array>;
