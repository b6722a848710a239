/** Something to wait on before a call that draws on a shared quota; `TokenBucket` of core satisfies it. */
export interface RateLimit {
  take(signal: AbortSignal): Promise<void>;
}
