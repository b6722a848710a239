import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { KiB } from "@garrison/core/units";
import { messageHeaderSchema, type MessageHeader } from "./message-header.ts";
import {
  importX25519Private,
  importX25519Public,
  rawPublicKey,
  sealPrivateKey,
  sealPublicKey,
  signPrivateKey,
  signPublicKey,
  type PeerIdentity,
  type PublicKeys,
} from "./peer-identity.ts";

/**
 * One message on the wire: `g1.<header>.<sealed>.<signature>`, each part base64url.
 *
 *   header     JSON of `MessageHeader`, exactly these bytes are authenticated
 *   sealed     ephemeral X25519 public key (32) | AES-256-GCM ciphertext | tag (16)
 *   key, nonce HKDF-SHA256(ECDH(ephemeral, receiver), salt = ephemeral | receiver's public key, 44 bytes)
 *   signature  Ed25519 of the sender over "garrison channel 1\n" | header | "." | sealed
 *
 * The ephemeral key is drawn anew for every sealing, so no key and nonce meet twice whatever crashes.
 */
const prefix = "g1";
const context = "garrison channel 1\n";
const ephemeralBytes = 32;
const tagBytes = 16;

export const maxBodyBytes = 256 * KiB;

/** The keys of one end of a channel, imported once. */
export interface ChannelKeys {
  readonly signPrivate: KeyObject;
  readonly sealPrivate: KeyObject;
  readonly peerSign: KeyObject;
  readonly peerSeal: KeyObject;
  /** Raw public sealing keys, own and peer's. */
  readonly ownSealBytes: Uint8Array;
  readonly peerSealBytes: Uint8Array;
}

export function openChannelKeys(own: PeerIdentity, peer: PublicKeys): ChannelKeys {
  const [sealPrivate, peerSeal] = [sealPrivateKey(own), sealPublicKey(peer)];
  return {
    signPrivate: signPrivateKey(own),
    sealPrivate,
    peerSign: signPublicKey(peer),
    peerSeal,
    ownSealBytes: rawPublicKey(createPublicKey(sealPrivate)),
    peerSealBytes: rawPublicKey(peerSeal),
  };
}

export interface PlainMessage {
  readonly header: MessageHeader;
  readonly payload: Uint8Array;
}

/** Throws `message-too-large` when the body would exceed 256 KiB. */
export function sealMessage(random: Random, keys: ChannelKeys, message: PlainMessage): string {
  const header = Buffer.from(JSON.stringify(message.header));
  const ephemeral = importX25519Private(random.bytes(32));
  const ephemeralPublic = rawPublicKey(createPublicKey(ephemeral));
  const secret = diffieHellman({ privateKey: ephemeral, publicKey: keys.peerSeal });
  const { key, nonce } = deriveKey(secret, ephemeralPublic, keys.peerSealBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(header);
  const sealed = Buffer.concat([
    ephemeralPublic,
    cipher.update(message.payload),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const signed = `${encode(header)}.${encode(sealed)}`;
  const signature = sign(null, Buffer.from(context + signed), keys.signPrivate);
  const body = `${prefix}.${signed}.${encode(signature)}`;
  if (body.length <= maxBodyBytes) return body;
  throw new GarrisonError(
    "message-too-large",
    `the ${message.header.type} message to ${message.header.worker} takes ${body.length} bytes, at most ${maxBodyBytes} fit`,
  );
}

/** `foreign`: not one of ours at all; `forged`: not signed by the peer; `damaged`: signed, but doesn't open. */
export type OpenedMessage =
  | ({ readonly outcome: "opened" } & PlainMessage)
  | { readonly outcome: "foreign" | "forged" | "damaged" };

/** Never throws for what came from outside; the outcome says why a body isn't a message. */
export function openMessage(keys: ChannelKeys, body: string): OpenedMessage {
  const parts = splitBody(body);
  if (parts === undefined) return { outcome: "foreign" };
  const { header, sealed, signed, signature } = parts;
  if (!verify(null, Buffer.from(context + signed), keys.peerSign, signature)) return { outcome: "forged" };
  const payload = unseal(keys, parts.headerBytes, sealed);
  return payload === undefined ? { outcome: "damaged" } : { outcome: "opened", header, payload };
}

interface BodyParts {
  readonly header: MessageHeader;
  readonly headerBytes: Uint8Array;
  readonly sealed: Buffer;
  readonly signed: string;
  readonly signature: Buffer;
}

function splitBody(body: string): BodyParts | undefined {
  if (body.length > maxBodyBytes) return undefined;
  const match = /^g1\.([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(body);
  if (match === null) return undefined;
  const [, headerText = "", sealedText = "", signatureText = ""] = match;
  const [headerBytes, sealed, signature] = [decode(headerText), decode(sealedText), decode(signatureText)];
  if (headerBytes === undefined || sealed === undefined || signature === undefined) return undefined;
  const header = messageHeaderSchema.safeParse(parseJson(headerBytes));
  if (!header.success || sealed.length < ephemeralBytes + tagBytes) return undefined;
  return { header: header.data, headerBytes, sealed, signed: `${headerText}.${sealedText}`, signature };
}

function unseal(keys: ChannelKeys, header: Uint8Array, sealed: Buffer): Uint8Array | undefined {
  const ephemeralPublic = sealed.subarray(0, ephemeralBytes);
  try {
    const publicKey = importX25519Public(ephemeralPublic);
    const secret = diffieHellman({ privateKey: keys.sealPrivate, publicKey });
    const { key, nonce } = deriveKey(secret, ephemeralPublic, keys.ownSealBytes);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(header);
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(ephemeralBytes, -tagBytes)), decipher.final()]);
  } catch {
    return undefined; // wrong tag or an unusable point: both mean that it wasn't sealed to us
  }
}

function deriveKey(secret: Uint8Array, ephemeralPublic: Uint8Array, receiverPublic: Uint8Array) {
  const salt = Buffer.concat([ephemeralPublic, receiverPublic]);
  const derived = Buffer.from(hkdfSync("sha256", secret, salt, context, 44));
  return { key: derived.subarray(0, 32), nonce: derived.subarray(32) };
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Only the one way in which `encode` writes these bytes: a message has no second spelling. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return encode(bytes) === text ? bytes : undefined;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
