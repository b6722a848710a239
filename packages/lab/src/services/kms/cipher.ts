import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "@garrison/core/random";
import { AwsError } from "../../wire/aws-error.ts";
import type { KeyRecord } from "./key-record.ts";

export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * A ciphertext blob: version, the key's ARN with its length, nonce, tag, ciphertext. Callers treat it as opaque; the ARN
 * is in it because Decrypt finds the key by the blob.
 */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

export interface Sealing {
  readonly key: KeyRecord;
  readonly context: EncryptionContext;
  readonly random: Random;
}

export function encryptBlob(plaintext: Uint8Array, { key, context, random }: Sealing): Uint8Array {
  const arn = Buffer.from(key.arn);
  const head = Buffer.alloc(3);
  head.writeUInt8(version);
  head.writeUInt16BE(arn.length, 1);
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key.material, "base64"), nonce);
  cipher.setAAD(additionalData(context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([head, arn, nonce, cipher.getAuthTag(), sealed]);
}

/** The ARN of the key that a blob was made with; throws InvalidCiphertextException for what isn't one of ours. */
export function keyArnOfBlob(blob: Uint8Array): string {
  const bytes = Buffer.from(blob);
  if (bytes.length < 3 || bytes.readUInt8() !== version) throw invalidCiphertext();
  const arn = bytes.toString("utf8", 3, 3 + bytes.readUInt16BE(1));
  if (!arn.startsWith("arn:")) throw invalidCiphertext();
  return arn;
}

export function decryptBlob(blob: Uint8Array, key: KeyRecord, context: EncryptionContext): Uint8Array {
  const body = Buffer.from(blob).subarray(3 + Buffer.byteLength(key.arn));
  if (body.length < nonceBytes + tagBytes) throw invalidCiphertext();
  const decipher = createDecipheriv(
    "aes-256-gcm",
    Buffer.from(key.material, "base64"),
    body.subarray(0, nonceBytes),
  );
  decipher.setAAD(additionalData(context));
  decipher.setAuthTag(body.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(body.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

function additionalData(context: EncryptionContext): Buffer {
  const sorted = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(sorted));
}

function invalidCiphertext(): AwsError {
  return new AwsError(
    "InvalidCiphertextException",
    "The ciphertext refers to a customer master key that does not exist, is altered, or has another encryption context.",
  );
}
