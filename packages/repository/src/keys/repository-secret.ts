import type { KeyWrapper } from "./key-wrapper.ts";

/**
 * What opens a repository. `masterSecret`: 32 random bytes (an appliance's own, or from an escrow sheet), which skip the
 * slow derivation from a password. `kms`: a key service that may use one of the keys that the repository was given;
 * `keyId` says under which one a new wrap is made.
 */
export type RepositorySecret =
  | { readonly password: string }
  | { readonly masterSecret: Uint8Array }
  | { readonly kms: KeyWrapper; readonly keyId?: string };
