import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { freeMemory } from "../blocks/free-memory.ts";
import { tagBytes } from "./format-limits.ts";

export interface SealContext {
  readonly key: Uint8Array;
  /** 12 bytes; never used twice with one key. */
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

// Keys go in as key objects: of plain bytes the runtime finds out by an exception that they are none, 8 us a call.

/** AES-256-GCM: ciphertext, then the tag. */
export function sealBytes(context: SealContext, plain: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(plain.length + tagBytes);
  sealInto(context, plain, sealed);
  return sealed;
}

/** Like `sealBytes`, into the first `plain.length + 16` bytes of `target`. */
export function sealInto(context: SealContext, plain: Uint8Array, target: Uint8Array): void {
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(context.key), context.nonce);
  cipher.setAAD(context.aad);
  const sealed = cipher.update(plain);
  target.set(sealed, 0);
  freeMemory(sealed);
  cipher.final();
  target.set(cipher.getAuthTag(), plain.length);
}

/** The plain bytes, or nothing when the tag does not fit. */
export function openBytes(context: SealContext, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined;
  const split = sealed.length - tagBytes;
  const key = createSecretKey(context.key);
  const decipher = createDecipheriv("aes-256-gcm", key, context.nonce, { authTagLength: tagBytes });
  decipher.setAAD(context.aad);
  decipher.setAuthTag(sealed.subarray(split));
  const plain = decipher.update(sealed.subarray(0, split));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

/** The nonce of a running number: eight zero bytes, then the number. */
export function counterNonce(number: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  return nonce;
}
