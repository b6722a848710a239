/** The salt and the sealed body of a small object, by the offsets of docs/repository-format.md. */
export function sealedObjectParts(bytes: Uint8Array): {
  readonly salt: Uint8Array;
  readonly sealed: Uint8Array;
} {
  return { salt: bytes.subarray(8, 24), sealed: bytes.subarray(32) };
}
