const connectionTimeoutMs = 5_000;

/**
 * A connection on which nothing moves for `silenceMs` is given up: one that never answers would otherwise hold a run for
 * ever. There is no limit on the whole of a call, since a pack may take its time on a narrow line.
 */
export function requestHandler(maxSockets: number, silenceMs: number) {
  const agent = { keepAlive: true, maxSockets };
  return {
    connectionTimeout: connectionTimeoutMs,
    socketTimeout: silenceMs,
    httpAgent: agent,
    httpsAgent: agent,
  };
}
