import type { Random } from "@garrison/core/random";
import { formatJson, type JsonObject } from "../format/json-fields.ts";
import { encodeObject, signBody, type ObjectKind } from "../format/sealed-object.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** Whoever may end points, fence sessions, move and delete packs, and write notes. */
export interface KeeperDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly random: Random;
  /** From `Repository.controlPrivateKey`. */
  readonly controlPrivateKey: Uint8Array;
}

export interface UnsignedObject {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly body: JsonObject;
}

/** Signs an object's JSON with the domain's control key and seals it under its name. */
export function signObject(
  keeper: Pick<KeeperDependencies, "keys" | "random" | "controlPrivateKey">,
  unsigned: UnsignedObject,
): Uint8Array {
  const { keys, random, controlPrivateKey: privateKey } = keeper;
  const object = { ...unsigned, body: formatJson(unsigned.body) };
  return encodeObject(keys, random, { ...object, body: signBody({ keys, privateKey }, object) });
}
