import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { DataClients } from "@garrison/aws/data-clients";
import type { S3Versioning } from "@garrison/aws/s3-object-store";
import { GarrisonError } from "@garrison/core/garrison-error";
import { isDecisiveName } from "@garrison/repository/format/object-names";
import { openFolderObjectStore } from "@garrison/repository/store/folder-object-store";
import type { LockMode, ObjectStore } from "@garrison/repository/store/object-store";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import { openUnshadowedObjectStore, type Shadow } from "@garrison/repository/store/unshadowed-object-store";
import type { CliContext } from "./cli-context.ts";

export interface OpenedStore extends Disposable {
  readonly store: ObjectStore;
  /** Objects over which somebody has put something, as far as they were met; of very many only some. */
  readonly shadows: ReadonlyMap<string, Shadow>;
}

const noShadows: ReadonlyMap<string, Shadow> = new Map();

/** Opens `file:///folder` or `s3://bucket/prefix[?region=...&endpoint=...]` with the credentials at hand. */
export async function openStore(address: string, context: CliContext): Promise<OpenedStore> {
  const { clock, random } = context;
  if (address.startsWith("s3://")) return openS3Store(address, context);
  const folder = openFolderObjectStore({ folder: folderOf(address) });
  const store = openRetryingObjectStore({ clock, random }, folder);
  return { store, shadows: noShadows, [Symbol.dispose]: () => undefined };
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
  const { bucket, prefix, region, endpoint, lockMode } = parseS3Address(address);
  const clients = openDataClients({
    region: region ?? regionOf(context),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const kept = await readVersioning(clients, { bucket, lockMode }, context);
  const store = openRetryingObjectStore(context, openS3ObjectStore({ clients, bucket, prefix, ...kept }));
  return { ...seeThroughShadows(store, context), [Symbol.dispose]: () => clients.close() };
}

/** Whether the bucket keeps versions and locks; where that can't be asked, it is used without. */
async function readVersioning(
  clients: DataClients,
  place: { readonly bucket: string; readonly lockMode: LockMode | undefined },
  context: CliContext,
): Promise<{ readonly versions?: S3Versioning }> {
  const { readBucketProtection } = await import("@garrison/aws/read-bucket-protection");
  const { lockMode } = place;
  const protection = await readBucketProtection({ ...context, clients }, place.bucket, context);
  if (!protection.isKnown) {
    const fields = {
      bucket: place.bucket,
      needed: ["s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"],
    };
    context.logger.warn(
      fields,
      "it is not known whether the bucket keeps versions: it is taken for one without",
    );
  }
  const { versions } = protection;
  if (versions === undefined) return {};
  const hasLocks = versions.lockMode !== undefined;
  return { versions: hasLocks && lockMode !== undefined ? { lockMode } : versions };
}

const shadowsKept = 1000;
const shadowsTold = 3;

/** Delete markers and versions of strangers hide nothing; the first few are told at once. */
function seeThroughShadows(store: ObjectStore, context: CliContext): Omit<OpenedStore, keyof Disposable> {
  const shadows = new Map<string, Shadow>();
  const onShadowed = (shadow: Shadow) => {
    if (shadows.has(shadow.key) || shadows.size >= shadowsKept) return;
    shadows.set(shadow.key, shadow);
    if (shadows.size > shadowsTold) return;
    context.logger.warn(
      { ...shadow },
      "somebody has put something over an object: its first version is used",
    );
  };
  return { store: openUnshadowedObjectStore(store, { isDecisive: isDecisiveName, onShadowed }), shadows };
}

/** The Region that the environment names. */
export function regionOf(context: CliContext): string {
  const region = context.environment["AWS_REGION"] ?? context.environment["AWS_DEFAULT_REGION"];
  if (region !== undefined && region !== "") return region;
  throw new GarrisonError("usage", "no Region is known: set AWS_REGION, or add ?region=... to the address");
}
