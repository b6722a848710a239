import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { openBytes, sealBytes } from "../format/seal.ts";
import type { KeyWrapper } from "../keys/key-wrapper.ts";

/** A key service in memory, as strict as KMS: for tests, simulations and nothing else. Keys may be taken away. */
export function openMemoryKeyWrapper(
  random: Random,
  keys: Map<string, Uint8Array>,
): KeyWrapper & { readonly keys: Map<string, Uint8Array> } {
  const keyOf = (keyId: string): Uint8Array => {
    const key = keys.get(keyId);
    if (key === undefined) throw new GarrisonError("aws-access-denied", `no right to use the key ${keyId}`);
    return key;
  };
  return {
    keys,
    async wrap({ keyId, bytes }, { repositoryId }) {
      const nonce = random.bytes(12);
      const context = { key: keyOf(keyId), nonce, aad: Buffer.from(repositoryId) };
      return { keyId, bytes: Buffer.concat([nonce, sealBytes(context, bytes)]) };
    },
    async unwrap({ keyId, bytes }, { repositoryId }) {
      const context = {
        key: keyOf(keyId),
        nonce: bytes.subarray(0, 12),
        aad: Buffer.from(repositoryId),
      };
      const secret = openBytes(context, bytes.subarray(12));
      if (secret === undefined)
        throw new GarrisonError("object-damaged", "the wrapped secret is not authentic");
      return secret;
    },
  };
}
