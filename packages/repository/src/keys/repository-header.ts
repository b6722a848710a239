import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { formatVersion } from "../format/format-limits.ts";
import { formatJson, parseJson } from "../format/json-fields.ts";
import { repositoryObjectName } from "../format/object-names.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface RepositoryHeader {
  readonly repositoryId: string;
  readonly createdAtMs: number;
}

export function encodeRepositoryHeader(header: RepositoryHeader): Uint8Array {
  return formatJson({ format: "garrison-repository", version: formatVersion, ...header });
}

/** The one unsealed object. Throws `repository-missing`, `repository-unsupported`. */
export async function readRepositoryHeader(store: ObjectStore, call: StoreCall): Promise<RepositoryHeader> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(repositoryObjectName, call);
  } catch (cause) {
    if (!isGarrisonError(cause, "object-missing")) throw cause;
    throw new GarrisonError("repository-missing", `${store.address} holds no repository`, { cause });
  }
  return decodeRepositoryHeader(bytes, store.address);
}

export function decodeRepositoryHeader(bytes: Uint8Array, address: string): RepositoryHeader {
  const fields = parseJson(bytes, repositoryObjectName);
  const isOurs = fields.text("format") === "garrison-repository";
  if (!isOurs || fields.count("version") !== formatVersion) {
    throw new GarrisonError("repository-unsupported", `${address} has another format or version`);
  }
  return { repositoryId: fields.hex("repositoryId", 16), createdAtMs: fields.count("createdAtMs") };
}
