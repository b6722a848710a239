const smallestBytes = 64 * 1024;

/**
 * Gives the memory of a large buffer back at once: waiting for the collector lets dead blocks pile up to hundreds of
 * MiB, since it hardly sees them. Only for bytes that nobody uses any more; a view of a part of a buffer is left alone.
 */
export function freeMemory(bytes: Uint8Array): void {
  if (bytes.byteLength === bytes.buffer.byteLength) freeBuffer(bytes);
}

/** Like `freeMemory`, for a view that is known to be the only one of its buffer. */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > smallestBytes) buffer.transfer(0);
}
