const connectionTimeoutMs = 5_000;

/** Every call has a deadline: a connection that never answers would otherwise hold a run for ever. */
export function requestHandler(maxSockets: number, requestTimeout: number) {
  const agent = { keepAlive: true, maxSockets };
  return {
    connectionTimeout: connectionTimeoutMs,
    requestTimeout,
    socketTimeout: requestTimeout,
    httpAgent: agent,
    httpsAgent: agent,
  };
}
