import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";

/** Seals what the database keeps secret. `purpose` is bound in: a sealed text opens nowhere else. */
export interface SecretBox {
  seal(plain: string, purpose: string): string;
  /** Throws `secret-unreadable`. */
  open(sealed: string, purpose: string): string;
}

const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under a key of its own for each text (HKDF over a fresh salt), so that no nonce can repeat. */
export function openSecretBox(masterKey: Uint8Array, random: Random): SecretBox {
  const keyOf = (salt: Uint8Array, purpose: string) =>
    Buffer.from(hkdfSync("sha256", masterKey, salt, `garrison-secret:${purpose}`, 32));
  return {
    seal(plain, purpose) {
      const salt = random.bytes(saltBytes);
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", keyOf(salt, purpose), nonce);
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([salt, nonce, cipher.getAuthTag(), body]).toString("base64");
    },
    open(sealed, purpose) {
      const bytes = Buffer.from(sealed, "base64");
      const [nonceAt, tagAt, bodyAt] = [saltBytes, saltBytes + nonceBytes, saltBytes + nonceBytes + tagBytes];
      try {
        const key = keyOf(bytes.subarray(0, nonceAt), purpose);
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(nonceAt, tagAt));
        decipher.setAuthTag(bytes.subarray(tagAt, bodyAt));
        return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]).toString("utf8");
      } catch (error) {
        throw new GarrisonError("secret-unreadable", `opening the stored secret of ${purpose}`, {
          cause: error,
        });
      }
    },
  };
}
