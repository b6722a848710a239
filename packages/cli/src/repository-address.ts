import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GarrisonError } from "@garrison/core/garrison-error";
import { openFolderObjectStore } from "@garrison/repository/store/folder-object-store";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import type { CliContext } from "./cli-context.ts";

export interface OpenedStore extends Disposable {
  readonly store: ObjectStore;
}

/** Opens `file:///folder` or `s3://bucket/prefix[?region=...&endpoint=...]` with the credentials at hand. */
export async function openStore(address: string, context: CliContext): Promise<OpenedStore> {
  const { clock, random } = context;
  if (address.startsWith("s3://")) return openS3Store(address, context);
  const store = openFolderObjectStore({ folder: folderOf(address) });
  return { store: openRetryingObjectStore({ clock, random }, store), [Symbol.dispose]: () => undefined };
}

function folderOf(address: string): string {
  if (!address.startsWith("file://")) {
    throw new GarrisonError("usage", `${address} is neither file:///folder nor s3://bucket/prefix`);
  }
  try {
    return fileURLToPath(address);
  } catch {
    return resolve(decodeURIComponent(address.slice("file://".length)));
  }
}

async function openS3Store(address: string, context: CliContext): Promise<OpenedStore> {
  // Loaded here so that a folder repository does not wait for the SDK.
  const { parseS3Address } = await import("@garrison/aws/s3-address");
  const { openDataClients } = await import("@garrison/aws/data-clients");
  const { openS3ObjectStore } = await import("@garrison/aws/s3-object-store");
  const { bucket, prefix, region, endpoint } = parseS3Address(address);
  const clients = openDataClients({
    region: region ?? regionOf(context),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const { clock, random } = context;
  const store = openRetryingObjectStore({ clock, random }, openS3ObjectStore({ clients, bucket, prefix }));
  return { store, [Symbol.dispose]: () => clients.close() };
}

/** The Region that the environment names. */
export function regionOf(context: CliContext): string {
  const region = context.environment["AWS_REGION"] ?? context.environment["AWS_DEFAULT_REGION"];
  if (region !== undefined && region !== "") return region;
  throw new GarrisonError("usage", "no Region is known: set AWS_REGION, or add ?region=... to the address");
}
