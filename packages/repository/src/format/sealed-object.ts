import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import type { DomainKeys } from "../keys/keys.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { deriveKey } from "./derive-key.ts";
import { keysOfEpoch } from "../keys/epochs.ts";
import { firstEpoch, formatVersion, maxEpochs, maxSmallObjectBytes } from "./format-limits.ts";
import { counterNonce, openBytes, sealBytes } from "./seal.ts";

/**
 * The envelope of small objects: a 32-byte header (magic, version, kind, epoch, salt, length), then the sealed body.
 * The key is derived from the domain's point key, the object's full name and the random salt, so that two lanes that
 * seal different bytes for one name never share a key; header and name are authenticated.
 */
const magic = 0x4752534e; // "GRSN"
const headerBytes = 32;
const saltBytes = 16;

export const objectKinds = {
  open: 1,
  base: 2,
  lane: 3,
  mark: 4,
  record: 5,
  "given-up": 6,
  fence: 7,
  moves: 8,
  tombstone: 9,
  forward: 10,
  note: 11,
} as const;
export type ObjectKind = keyof typeof objectKinds;

export interface SmallObject {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly body: Uint8Array;
}

export function encodeObject(keys: DomainKeys, random: Random, object: SmallObject): Uint8Array {
  const salt = random.bytes(saltBytes);
  const header = new ByteWriter(headerBytes)
    .u32(magic)
    .u8(formatVersion)
    .u8(objectKinds[object.kind])
    .u16(keys.epoch)
    .bytes(salt)
    .u32(object.body.length)
    .u32(0)
    .finish();
  const sealed = sealBytes(sealContext(keys, object.name, { ...keys, header, salt }), object.body);
  return Buffer.concat([header, sealed]);
}

/** An object with the epoch that it was sealed in. */
export interface OpenedObject extends SmallObject {
  readonly epoch: number;
}

/**
 * Opens an object and says its kind. Throws `object-damaged` when it is not authentic under this name, `keys-outdated`
 * when it names a newer epoch than the keys at hand.
 */
export function decodeObject(keys: DomainKeys, name: string, bytes: Uint8Array): OpenedObject {
  if (bytes.length > maxSmallObjectBytes) throw new GarrisonError("object-malformed", `${name} is too large`);
  const reader = new ByteReader(bytes, name);
  reader.expect(reader.u32(), magic, "the magic number");
  reader.expect(reader.u8(), formatVersion, "the format version");
  const kindNumber = reader.u8();
  const epoch = reader.u16();
  if (epoch < firstEpoch || epoch > maxEpochs) throw reader.malformed(`there is no epoch ${epoch}`);
  const salt = reader.bytes(saltBytes);
  const length = reader.u32();
  reader.expect(reader.u32(), 0, "the reserved field");
  if (reader.remaining < length + 16) throw new GarrisonError("object-truncated", `${name} is cut short`);
  const header = bytes.subarray(0, headerBytes);
  const { pointKey } = keysOfEpoch(keys, epoch, name);
  const sealed = reader.bytes(reader.remaining);
  const body = openBytes(sealContext(keys, name, { pointKey, header, salt }), sealed);
  if (body === undefined) throw new GarrisonError("object-damaged", `${name} is not authentic`);
  reader.expect(body.length, length, "the length");
  const kind = (Object.keys(objectKinds) as ObjectKind[]).find((each) => objectKinds[each] === kindNumber);
  if (kind === undefined) throw reader.malformed(`kind ${kindNumber} is not known`);
  return { name, kind, body, epoch };
}

function sealContext(
  keys: Pick<DomainKeys, "repositoryId">,
  name: string,
  parts: { readonly pointKey: Uint8Array; readonly header: Uint8Array; readonly salt: Uint8Array },
) {
  return {
    key: deriveKey(parts.pointKey, "object", [name, parts.salt]),
    nonce: counterNonce(0),
    aad: Buffer.concat([parts.header, Buffer.from(keys.repositoryId, "hex"), Buffer.from(name, "utf8")]),
  };
}

const signatureBytes = 64;
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The Ed25519 pair of a 32-byte seed: PKCS #8 private key and raw public key. */
export function controlPair(seed: Uint8Array): {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
} {
  const privateKey = Buffer.concat([pkcs8Prefix, seed]);
  const opened = createPrivateKey({ key: privateKey, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(opened)
    .export({ format: "der", type: "spki" })
    .subarray(spkiPrefix.length);
  return { privateKey, publicKey: new Uint8Array(publicKey) };
}

/** Taking a control key apart costs about as much as using it: it is done once for each array that holds one. */
const openedKeys = new WeakMap<Uint8Array, KeyObject>();

function opened(key: Uint8Array, open: (key: Uint8Array) => KeyObject): KeyObject {
  const known = openedKeys.get(key);
  if (known !== undefined) return known;
  const object = open(key);
  openedKeys.set(key, object);
  return object;
}

/** A body that only the keeper can make: signature over kind, repository and name, then the text. */
export function signBody(
  control: { readonly keys: DomainKeys; readonly privateKey: Uint8Array },
  object: SmallObject,
): Uint8Array {
  const key = opened(control.privateKey, (der) =>
    createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" }),
  );
  return Buffer.concat([sign(null, signedBytes(control.keys, object), key), object.body]);
}

/** Splits a keeper's body; `isSigned` is false when the signature is not the keeper's of the object's epoch. */
export function readSignedBody(
  keys: DomainKeys,
  object: OpenedObject,
): { readonly isSigned: boolean; readonly body: Uint8Array } {
  if (object.body.length < signatureBytes) return { isSigned: false, body: object.body };
  const body = object.body.subarray(signatureBytes);
  const { controlPublicKey } = keysOfEpoch(keys, object.epoch, object.name);
  const key = opened(controlPublicKey, (raw) =>
    createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: "der", type: "spki" }),
  );
  const signature = object.body.subarray(0, signatureBytes);
  return { isSigned: verify(null, signedBytes(keys, { ...object, body }), key, signature), body };
}

function signedBytes(keys: DomainKeys, object: SmallObject): Uint8Array {
  return new ByteWriter()
    .bytes(Buffer.from("garrison/1/control\0"))
    .hex(keys.repositoryId)
    .u8(objectKinds[object.kind])
    .text(object.name)
    .bytes(object.body)
    .finish();
}
