import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { z } from "zod";

/** 32 raw bytes, base64. */
const rawKey = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);

export const publicKeysSchema = z.object({ signKey: rawKey, sealKey: rawKey });
/** What the other side has to know of a peer: Ed25519 for signatures, X25519 for sealing. */
export type PublicKeys = z.infer<typeof publicKeysSchema>;

export const peerIdentitySchema = z.object({ signSeed: rawKey, sealSeed: rawKey });
/** A peer's private keys as they are stored. Secret. */
export type PeerIdentity = z.infer<typeof peerIdentitySchema>;

/** Fixed heads of PKCS #8 and SubjectPublicKeyInfo for the two curves (RFC 8410); the raw key follows. */
const heads = {
  ed25519Private: "302e020100300506032b657004220420",
  x25519Private: "302e020100300506032b656e04220420",
  ed25519Public: "302a300506032b6570032100",
  x25519Public: "302a300506032b656e032100",
} as const;

/** Key material: pass `systemRandom` outside tests. */
export function newIdentity(random: Random): PeerIdentity {
  return { signSeed: toBase64(random.bytes(32)), sealSeed: toBase64(random.bytes(32)) };
}

export function publicKeysOf(identity: PeerIdentity): PublicKeys {
  return {
    signKey: toBase64(rawPublicKey(createPublicKey(signPrivateKey(identity)))),
    sealKey: toBase64(rawPublicKey(createPublicKey(sealPrivateKey(identity)))),
  };
}

export function signPrivateKey(identity: PeerIdentity): KeyObject {
  return importPrivate(heads.ed25519Private, fromBase64(identity.signSeed));
}

export function sealPrivateKey(identity: PeerIdentity): KeyObject {
  return importX25519Private(fromBase64(identity.sealSeed));
}

export function importX25519Private(seed: Uint8Array): KeyObject {
  return importPrivate(heads.x25519Private, seed);
}

export function signPublicKey(keys: PublicKeys): KeyObject {
  return importPublic(heads.ed25519Public, fromBase64(keys.signKey));
}

export function sealPublicKey(keys: PublicKeys): KeyObject {
  return importX25519Public(fromBase64(keys.sealKey));
}

export function importX25519Public(raw: Uint8Array): KeyObject {
  return importPublic(heads.x25519Public, raw);
}

/** The 32 bytes of an Ed25519 or X25519 public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

function importPrivate(head: string, raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: keyBytes(head, raw), format: "der", type: "pkcs8" });
}

function importPublic(head: string, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: keyBytes(head, raw), format: "der", type: "spki" });
}

function keyBytes(head: string, raw: Uint8Array): Buffer {
  if (raw.length !== 32)
    throw new GarrisonError("message-invalid", "a key of a channel peer is not 32 bytes long");
  return Buffer.concat([Buffer.from(head, "hex"), raw]);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, "base64");
}
