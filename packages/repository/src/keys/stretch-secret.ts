import { argon2Sync } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { deriveKey } from "../format/derive-key.ts";
import type { WrapKind, WrapRecipe } from "../format/key-wrap.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { RepositorySecret } from "./repository-secret.ts";

/** argon2id as RFC 9106 has it for this memory: about 0.2 s. */
export const passwordCost = { memoryKiB: 65_536, passes: 3, parallelism: 1 } as const;
const minSecretBytes = 32;

export function kindOfSecret(secret: RepositorySecret): WrapKind {
  if ("password" in secret) return "argon2id";
  return "masterSecret" in secret ? "secret" : "kms";
}

export interface Stretched {
  readonly recipe: WrapRecipe;
  readonly stretched: Uint8Array;
}

/** A fresh recipe for a new wrap, and what it makes of the secret. */
export async function stretchAnew(
  dependencies: { readonly random: Random; readonly repositoryId: string },
  secret: RepositorySecret,
  call: StoreCall,
): Promise<Stretched> {
  const { random, repositoryId } = dependencies;
  const salt = random.bytes(16);
  if ("password" in secret) return stretched(secret.password, { kdf: "argon2id", salt, ...passwordCost });
  if ("masterSecret" in secret) {
    const recipe = { kdf: "secret", salt } as const;
    return { recipe, stretched: deriveSecret(secret.masterSecret, salt) };
  }
  if (secret.keyId === undefined) throw new GarrisonError("usage", "a new wrap needs the id of a KMS key");
  const drawn = random.bytes(minSecretBytes);
  const wanted = { keyId: secret.keyId, bytes: drawn };
  const { keyId, bytes } = await secret.kms.wrap(wanted, { repositoryId }, call);
  const recipe = { kdf: "kms", salt, keyId, wrappedSecret: bytes } as const;
  return { recipe, stretched: deriveSecret(drawn, salt) };
}

/** What a stored recipe makes of a secret; nothing when the secret is of another kind. */
export async function stretchSecret(
  wrap: { readonly repositoryId: string; readonly recipe: WrapRecipe },
  secret: RepositorySecret,
  call: StoreCall,
): Promise<Uint8Array | undefined> {
  const { recipe, repositoryId } = wrap;
  if (recipe.kdf === "argon2id" && "password" in secret) return stretched(secret.password, recipe).stretched;
  if (recipe.kdf === "secret" && "masterSecret" in secret)
    return deriveSecret(secret.masterSecret, recipe.salt);
  if (recipe.kdf !== "kms" || !("kms" in secret)) return undefined;
  const { keyId, wrappedSecret: bytes, salt } = recipe;
  return deriveSecret(await secret.kms.unwrap({ keyId, bytes }, { repositoryId }, call), salt);
}

/** What a master secret makes of a wrap's salt. */
export function deriveSecret(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  if (secret.length < minSecretBytes) {
    throw new GarrisonError("usage", `a master secret has at least ${minSecretBytes} bytes`);
  }
  return deriveKey(secret, "secret", [salt]);
}

function stretched(password: string, recipe: WrapRecipe & { readonly kdf: "argon2id" }): Stretched {
  if (password.length === 0) throw new GarrisonError("usage", "the repository password is empty");
  const bytes = argon2Sync("argon2id", {
    message: Buffer.from(password.normalize("NFC"), "utf8"),
    nonce: recipe.salt,
    parallelism: recipe.parallelism,
    tagLength: 32,
    memory: recipe.memoryKiB,
    passes: recipe.passes,
  });
  return { recipe, stretched: bytes };
}
