import { formatAuthenticJson, isAuthenticJson } from "./authentic-json.ts";
import { deriveKey } from "./derive-key.ts";
import { maxEpochs, tagBytes } from "./format-limits.ts";
import { parseJson, type JsonFields } from "./json-fields.ts";
import { wrapPrefix } from "./object-names.ts";
import { counterNonce, openBytes, sealBytes } from "./seal.ts";

/** How the secret that a wrap is sealed under comes about. */
export type WrapRecipe = { readonly salt: Uint8Array } & (
  | {
      readonly kdf: "argon2id";
      readonly memoryKiB: number;
      readonly passes: number;
      readonly parallelism: number;
    }
  | { readonly kdf: "secret" }
  | { readonly kdf: "kms"; readonly keyId: string; readonly wrappedSecret: Uint8Array }
);
export type WrapKind = WrapRecipe["kdf"];

/** Where a wrap lies; both enter its key. */
export interface WrapPlace {
  readonly repositoryId: string;
  readonly wrapId: string;
}

export interface KeyWrap {
  readonly recipe: WrapRecipe;
  /** So many master keys are in it. */
  readonly epochs: number;
  /** Absent in wraps of before wraps had labels. */
  readonly madeAtMs?: number;
  readonly label?: string;
  readonly sealedKeys: Uint8Array;
}

export const masterKeyBytes = 32;
const saltBytes = 16;
/** Larger ones are not even read. */
export const maxWrapBytes = 256 * 1024;
const maxMemoryKiB = 1024 * 1024;
/** Memory times passes: some 20 times what we write, a few seconds. */
const maxWorkKiB = 4 * 1024 * 1024;
const maxWrappedSecretBytes = 8192;

export interface NewWrap {
  readonly recipe: WrapRecipe;
  /** 32 bytes that the recipe makes of the password, secret or KMS key. */
  readonly stretched: Uint8Array;
  /** First epoch first. */
  readonly masterKeys: readonly Uint8Array[];
  readonly madeAtMs: number;
  readonly label: string;
}

/** All master keys under one password, secret or KMS key; what lies open in it is authentic for whoever holds them. */
export function encodeWrap(place: WrapPlace, wrap: NewWrap): Uint8Array {
  const { recipe, masterKeys, madeAtMs, label } = wrap;
  const keys = sealBytes(wrapContext(place, wrap.stretched), Buffer.concat(masterKeys));
  const fields = {
    ...recipe,
    salt: toBase64(recipe.salt),
    ...(recipe.kdf === "kms" ? { wrappedSecret: toBase64(recipe.wrappedSecret) } : {}),
    epochs: masterKeys.length,
    madeAtMs,
    label,
    keys: toBase64(keys),
  };
  return formatAuthenticJson(fields, wrapMacKey(place, masterKeys[0]!));
}

/** Throws `object-malformed`, also for a recipe that asks for more memory or time than any wrap of ours. */
export function decodeWrap(bytes: Uint8Array, what: string): KeyWrap {
  const fields = parseJson(bytes, what);
  const sealedKeys = fields.bytes("keys");
  const epochs = (sealedKeys.length - tagBytes) / masterKeyBytes;
  if (!Number.isInteger(epochs) || epochs < 1 || epochs > maxEpochs)
    throw fields.fail("its keys have no whole number");
  const stated = fields.optionalCount("epochs");
  if (stated !== undefined && stated !== epochs) throw fields.fail("it says another number of keys");
  const madeAtMs = fields.optionalCount("madeAtMs");
  const label = fields.optionalText("label");
  return {
    recipe: readRecipe(fields),
    epochs,
    ...(madeAtMs === undefined ? {} : { madeAtMs }),
    ...(label === undefined ? {} : { label }),
    sealedKeys,
  };
}

function readRecipe(fields: JsonFields): WrapRecipe {
  const kdf = fields.text("kdf");
  const salt = fields.bytes("salt");
  if (salt.length !== saltBytes) throw fields.fail("its salt has another length");
  if (kdf === "secret") return { kdf, salt };
  if (kdf === "kms") {
    const wrappedSecret = fields.bytes("wrappedSecret");
    if (wrappedSecret.length > maxWrappedSecretBytes) throw fields.fail("its wrapped secret is too long");
    return { kdf, salt, keyId: fields.text("keyId"), wrappedSecret };
  }
  if (kdf !== "argon2id") throw fields.fail("its kind is not known");
  const [memoryKiB, passes] = [fields.count("memoryKiB"), fields.count("passes")];
  const parallelism = fields.count("parallelism");
  const isWhole = passes >= 1 && parallelism >= 1 && memoryKiB >= 8 * parallelism;
  if (!isWhole || parallelism > 16 || memoryKiB > maxMemoryKiB || memoryKiB * passes > maxWorkKiB) {
    throw fields.fail("it asks for more memory or time than any wrap of ours");
  }
  return { kdf, salt, memoryKiB, passes, parallelism };
}

/** The master keys, or nothing when the secret is not this wrap's. */
export function openWrap(
  place: WrapPlace,
  wrap: KeyWrap,
  stretched: Uint8Array,
): readonly Uint8Array[] | undefined {
  const keys = openBytes(wrapContext(place, stretched), wrap.sealedKeys);
  if (keys === undefined) return undefined;
  return Array.from({ length: wrap.epochs }, (_, index) =>
    new Uint8Array(keys).slice(index * masterKeyBytes, (index + 1) * masterKeyBytes),
  );
}

/** Whether a holder of the master keys made this wrap as it is: then its secret opens it, even if it isn't at hand. */
export function isAuthenticWrap(place: WrapPlace, bytes: Uint8Array, firstMasterKey: Uint8Array): boolean {
  return isAuthenticJson(bytes, wrapMacKey(place, firstMasterKey));
}

function wrapMacKey(place: WrapPlace, firstMasterKey: Uint8Array): Uint8Array {
  return deriveKey(firstMasterKey, "wrap mac", [place.repositoryId, place.wrapId]);
}

function wrapContext(place: WrapPlace, stretched: Uint8Array) {
  return {
    key: deriveKey(stretched, "wrap", [place.repositoryId, place.wrapId]),
    nonce: counterNonce(0),
    aad: Buffer.from(`garrison/1/wrap/${place.repositoryId}/${place.wrapId}`),
  };
}

export function wrapName(wrapId: string): string {
  return wrapPrefix + wrapId;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
