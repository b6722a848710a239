import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type DeleteMarkerEntry,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
} from "@aws-sdk/client-s3";
import { GarrisonError } from "@garrison/core/garrison-error";
import type {
  LockMode,
  ObjectVersions,
  StoreCall,
  StoredVersion,
  VersionName,
} from "@garrison/repository/store/object-store";
import { extendRetention, findLock, readRetention } from "./s3-object-lock.ts";
import { objectAt, readS3Object, type S3Place } from "./s3-place.ts";
import { storeError } from "./s3-store-error.ts";

/**
 * The versions of a bucket, and its Object Lock where there is one. Governance is never bypassed: no call asks for it.
 * Needs `s3:ListBucketVersions`, `s3:GetObjectVersion`, and for the keeper `s3:DeleteObjectVersion`,
 * `s3:GetObjectRetention`, `s3:PutObjectRetention`.
 */
export function openS3ObjectVersions(place: S3Place, lockMode: LockMode | undefined): ObjectVersions {
  return {
    ...(lockMode === undefined ? {} : { lockMode }),
    list: (prefix, call) => listVersions(place, prefix, call),
    listFolders: (prefix, call) => listFolders(place, prefix, call),
    read: (version, call) => readS3Object(place, version, call),
    delete: (version, call) => deleteVersion(place, version, call),
    readRetention: (version, call) => readRetention(place, version, call),
    async extendRetention(version, untilMs, call) {
      if (lockMode === undefined)
        throw new GarrisonError("locks-unsupported", `${place.address} has no Object Lock`);
      await extendRetention(place, { version, retention: { mode: lockMode, untilMs } }, call);
    },
  };
}

async function* listVersions(
  place: S3Place,
  prefix: string,
  call: StoreCall & { readonly startAfter?: string },
): AsyncGenerator<StoredVersion> {
  for await (const page of pagesOf(place, prefix, call)) yield* versionsOf(place, page);
}

async function* listFolders(place: S3Place, prefix: string, call: StoreCall): AsyncGenerator<string> {
  for await (const page of pagesOf(place, prefix, { ...call, delimiter: "/" })) {
    for (const { Prefix: folder } of page.CommonPrefixes ?? []) {
      if (folder !== undefined) yield folder.slice(place.root.length);
    }
  }
}

async function* pagesOf(
  place: S3Place,
  prefix: string,
  call: StoreCall & { readonly startAfter?: string; readonly delimiter?: string },
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let keyMarker = call.startAfter === undefined ? undefined : place.root + call.startAfter;
  let versionIdMarker: string | undefined;
  do {
    const list = new ListObjectVersionsCommand({
      Bucket: place.bucket,
      Prefix: place.root + prefix,
      Delimiter: call.delimiter,
      KeyMarker: keyMarker,
      VersionIdMarker: versionIdMarker,
    });
    const page = await place.s3.send(list, { abortSignal: call.signal }).catch((error: unknown) => {
      throw storeError(error, `listing the versions of ${place.address}${prefix}`);
    });
    yield page;
    [keyMarker, versionIdMarker] =
      page.IsTruncated === true ? [page.NextKeyMarker, page.NextVersionIdMarker] : [undefined, undefined];
  } while (keyMarker !== undefined);
}

type Entry = ObjectVersion | DeleteMarkerEntry;

/**
 * A page gives versions and delete markers as two lists, each by key and newest first; together they are in order of key,
 * then the latest, then by time. At the same second a marker is taken for the newer one: it changes the order only.
 */
function* versionsOf(place: S3Place, page: ListObjectVersionsCommandOutput): Generator<StoredVersion> {
  const versions = [...(page.Versions ?? [])];
  const markers = [...(page.DeleteMarkers ?? [])];
  while (versions.length > 0 || markers.length > 0) {
    const isDeleteMarker = versions[0] === undefined || comesFirst(markers[0], versions[0]);
    yield describe(place, isDeleteMarker ? markers.shift()! : versions.shift()!, isDeleteMarker);
  }
}

function comesFirst(marker: DeleteMarkerEntry | undefined, version: ObjectVersion): boolean {
  if (marker === undefined) return false;
  const order = Buffer.compare(Buffer.from(marker.Key ?? ""), Buffer.from(version.Key ?? ""));
  if (order !== 0) return order < 0;
  if (marker.IsLatest === true || version.IsLatest === true) return marker.IsLatest === true;
  return (marker.LastModified?.getTime() ?? 0) >= (version.LastModified?.getTime() ?? 0);
}

function describe(place: S3Place, entry: Entry, isDeleteMarker: boolean): StoredVersion {
  return {
    key: (entry.Key ?? "").slice(place.root.length),
    versionId: entry.VersionId ?? "null",
    sizeBytes: "Size" in entry ? (entry.Size ?? 0) : 0,
    modifiedMs: entry.LastModified?.getTime() ?? 0,
    isLatest: entry.IsLatest === true,
    isDeleteMarker,
  };
}

async function deleteVersion(place: S3Place, version: VersionName, call: StoreCall): Promise<void> {
  const { key, versionId: VersionId } = version;
  const command = new DeleteObjectCommand({ ...objectAt(place, key), VersionId });
  try {
    await place.s3.send(command, { abortSignal: call.signal });
  } catch (error) {
    const refused = storeError(error, `deleting a version of ${place.address}${key}`);
    if (refused.code !== "store-access-denied") throw refused;
    throw (await findLock(place, { version, refused }, call)) ?? refused;
  }
}
