/**
 * A key service that seals small secrets under a key which never leaves it. The port through which a repository's keys
 * are kept in KMS.
 */
export interface KeyWrapper {
  /** Seals a secret under the key with this id (an ARN, alias or id). */
  wrap(
    secret: { readonly keyId: string; readonly bytes: Uint8Array },
    context: KeyWrapperContext,
    call: { readonly signal: AbortSignal },
  ): Promise<WrappedSecret>;
  /**
   * Opens what `wrap` sealed, under the key that it names. Throws `object-damaged` when it isn't authentic or belongs to
   * another repository, otherwise what the service says.
   */
  unwrap(
    wrapped: WrappedSecret,
    context: KeyWrapperContext,
    call: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}

/** Bound to the wrapped secret, and written into the service's log. */
export interface KeyWrapperContext {
  readonly repositoryId: string;
}

export interface WrappedSecret {
  /** The key's ARN. */
  readonly keyId: string;
  readonly bytes: Uint8Array;
}
