import { argon2Sync } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import type { RepositorySecret } from "../keys/open-repository.ts";
import { deriveKey } from "./derive-key.ts";
import { formatJson, parseJson } from "./json-fields.ts";
import { counterNonce, openBytes, sealBytes } from "./seal.ts";

/** argon2id as design and RFC 9106 have it for this memory: about 0.2 s. */
const passwordCost = { memoryKiB: 65_536, passes: 3, parallelism: 1 } as const;
const maxMemoryKiB = 1024 * 1024;
const masterKeyBytes = 32;

interface WrapParameters {
  readonly kdf: "argon2id" | "secret";
  readonly salt: Uint8Array;
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** All master keys, first epoch first, under one password or secret. */
export function encodeWrap(
  dependencies: { readonly random: Random; readonly repositoryId: string; readonly wrapId: string },
  secret: RepositorySecret,
  masterKeys: readonly Uint8Array[],
): Uint8Array {
  const parameters: WrapParameters = {
    kdf: "password" in secret ? "argon2id" : "secret",
    salt: dependencies.random.bytes(16),
    ...passwordCost,
  };
  const context = wrapContext(dependencies, parameters, secret);
  return formatJson({
    ...parameters,
    salt: Buffer.from(parameters.salt).toString("base64"),
    keys: Buffer.from(sealBytes(context, Buffer.concat(masterKeys))).toString("base64"),
  });
}

/** The master keys, or nothing when this wrap belongs to another password or secret. */
export function decodeWrap(
  place: { readonly repositoryId: string; readonly wrapId: string },
  secret: RepositorySecret,
  bytes: Uint8Array,
): readonly Uint8Array[] | undefined {
  const what = `key/${place.wrapId}`;
  const fields = parseJson(bytes, what);
  const kdf = fields.text("kdf");
  if (kdf !== ("password" in secret ? "argon2id" : "secret")) return undefined;
  const parameters: WrapParameters = {
    kdf,
    salt: fields.bytes("salt"),
    memoryKiB: fields.count("memoryKiB"),
    passes: fields.count("passes"),
    parallelism: fields.count("parallelism"),
  };
  if (parameters.memoryKiB > maxMemoryKiB || parameters.passes > 100 || parameters.parallelism > 16) {
    throw fields.fail("it asks for more memory or time than any wrap of ours");
  }
  const keys = openBytes(wrapContext(place, parameters, secret), fields.bytes("keys"));
  if (keys === undefined) return undefined;
  if (keys.length === 0 || keys.length % masterKeyBytes !== 0)
    throw fields.fail("its keys have no whole number");
  const count = keys.length / masterKeyBytes;
  return Array.from({ length: count }, (_, epoch) =>
    keys.slice(epoch * masterKeyBytes, (epoch + 1) * masterKeyBytes),
  );
}

function wrapContext(
  place: { readonly repositoryId: string; readonly wrapId: string },
  parameters: WrapParameters,
  secret: RepositorySecret,
) {
  return {
    key: deriveKey(stretch(secret, parameters), "wrap", [place.repositoryId, place.wrapId]),
    nonce: counterNonce(0),
    aad: Buffer.from(`garrison/1/wrap/${place.repositoryId}/${place.wrapId}`),
  };
}

function stretch(secret: RepositorySecret, parameters: WrapParameters): Uint8Array {
  if ("masterSecret" in secret) {
    if (secret.masterSecret.length < 32)
      throw new GarrisonError("usage", "a master secret has at least 32 bytes");
    return deriveKey(secret.masterSecret, "secret", [parameters.salt]);
  }
  if (secret.password.length === 0) throw new GarrisonError("usage", "the repository password is empty");
  return argon2Sync("argon2id", {
    message: Buffer.from(secret.password.normalize("NFC"), "utf8"),
    nonce: parameters.salt,
    parallelism: parameters.parallelism,
    tagLength: 32,
    memory: parameters.memoryKiB,
    passes: parameters.passes,
  });
}
