import type {
  ListObjectsCommandInput,
  ListObjectsV2CommandInput,
  ListObjectVersionsCommandInput,
} from "@aws-sdk/client-s3";
import type { Call } from "../../wire/operation-handler.ts";
import { listKeys, type ListedKeys } from "./list-keys.ts";
import { shownVersionId } from "./new-version.ts";
import type { ObjectVersion } from "./object-record.ts";
import { currentVersion } from "./object-versions.ts";
import { onBucket, openBucket, type BucketCall } from "./s3-access.ts";
import { invalidArgument } from "./s3-error.ts";

export async function listObjectsV2(input: ListObjectsV2CommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:ListBucket"));
  const token = input.ContinuationToken;
  const listed = listCurrent(at, input, token === undefined ? (input.StartAfter ?? "") : decodeToken(token));
  return {
    ...describeListing(at, input, listed),
    KeyCount: listed.items.length,
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(listed.truncated ? { NextContinuationToken: encodeToken(listed.last) } : {}),
    ...(input.StartAfter ? { StartAfter: encoded(input, input.StartAfter) } : {}),
    Contents: contentsOf(at, input, { ...listed, withOwner: input.FetchOwner ?? false }),
  };
}

export async function listObjects(input: ListObjectsCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:ListBucket"));
  const listed = listCurrent(at, input, input.Marker ?? "");
  return {
    ...describeListing(at, input, listed),
    Marker: encoded(input, input.Marker ?? ""),
    ...(listed.truncated && input.Delimiter ? { NextMarker: encoded(input, listed.last) } : {}),
    Contents: contentsOf(at, input, { ...listed, withOwner: true }),
  };
}

export async function listObjectVersions(input: ListObjectVersionsCommandInput, call: Call) {
  const at = await openBucket(input, call);
  call.authorize(onBucket(at, "s3:ListBucketVersions"));
  const { KeyMarker = "", VersionIdMarker } = input;
  const page = versionPage(at, input);
  const shown = (version: ObjectVersion, key: string, isLatest: boolean) => ({
    Key: encoded(input, key),
    VersionId: shownVersionId(at.bucket, version.versionId) ?? "null",
    IsLatest: isLatest,
    LastModified: new Date(version.modifiedMs),
    Owner: ownerOf(at),
  });
  return {
    ...describeListing(at, input, {
      items: page.groups.map((commonPrefix) => ({ commonPrefix })),
      truncated: page.truncated,
      last: "",
    }),
    KeyMarker: encoded(input, KeyMarker),
    ...(VersionIdMarker === undefined ? {} : { VersionIdMarker }),
    ...(page.truncated
      ? { NextKeyMarker: encoded(input, page.lastKey), NextVersionIdMarker: page.lastVersionId }
      : {}),
    Versions: page.versions
      .filter(({ version }) => !version.deleteMarker)
      .map(({ version, key, isLatest }) => ({
        ...shown(version, key, isLatest),
        ETag: version.etag,
        Size: version.sizeBytes,
        StorageClass: version.storageClass,
      })),
    DeleteMarkers: page.versions
      .filter(({ version }) => version.deleteMarker)
      .map(({ version, key, isLatest }) => shown(version, key, isLatest)),
  };
}

interface ListInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
  readonly EncodingType?: string | undefined;
}

function listCurrent(at: BucketCall, input: ListInput, after: string): ListedKeys {
  const { store, bucket } = at;
  return listKeys(
    store.keysOf(bucket.name),
    { prefix: input.Prefix ?? "", delimiter: input.Delimiter ?? "", after, maxKeys: maxKeysOf(input) },
    (key) => currentVersion(store.find(bucket.name, key)) !== undefined,
  );
}

function maxKeysOf({ MaxKeys = 1000 }: ListInput): number {
  if (MaxKeys < 0)
    throw invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", "maxKeys");
  return Math.min(MaxKeys, 1000);
}

function describeListing(at: BucketCall, input: ListInput, listed: ListedKeys) {
  const groups = listed.items.flatMap((item) => ("commonPrefix" in item ? [item.commonPrefix] : []));
  return {
    Name: at.bucket.name,
    Prefix: encoded(input, input.Prefix ?? ""),
    ...(input.Delimiter ? { Delimiter: encoded(input, input.Delimiter) } : {}),
    MaxKeys: maxKeysOf(input),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    IsTruncated: listed.truncated,
    CommonPrefixes: groups.map((group) => ({ Prefix: encoded(input, group) })),
  };
}

interface Contents extends ListedKeys {
  readonly withOwner: boolean;
}

function contentsOf(at: BucketCall, input: ListInput, { items, withOwner }: Contents) {
  return items.flatMap((item) => {
    if (!("key" in item)) return [];
    const version = currentVersion(at.store.find(at.bucket.name, item.key))!;
    return {
      Key: encoded(input, item.key),
      LastModified: new Date(version.modifiedMs),
      ETag: version.etag,
      Size: version.sizeBytes,
      StorageClass: version.storageClass,
      ...(version.checksum
        ? { ChecksumAlgorithm: [version.checksum.algorithm], ChecksumType: version.checksum.type }
        : {}),
      ...(withOwner ? { Owner: ownerOf(at) } : {}),
    };
  });
}

interface ListedVersion {
  readonly key: string;
  readonly version: ObjectVersion;
  readonly isLatest: boolean;
}

/** Pages count versions, not keys, so a page may begin and end inside a key. */
function versionPage(at: BucketCall, input: ListObjectVersionsCommandInput) {
  const { store, bucket } = at;
  const { Prefix = "", Delimiter = "", KeyMarker = "", VersionIdMarker } = input;
  const maxKeys = maxKeysOf(input);
  const versions: ListedVersion[] = [];
  const groups: string[] = [];
  const left = () => maxKeys - versions.length - groups.length;
  let cut = false;
  let lastKey = "";
  let lastVersionId: string | undefined;
  if (VersionIdMarker !== undefined) take(KeyMarker, VersionIdMarker);
  let after = KeyMarker;
  while (left() > 0) {
    const { items, truncated, last } = listKeys(
      store.keysOf(bucket.name),
      { prefix: Prefix, delimiter: Delimiter, after, maxKeys: 1 },
      () => true,
    );
    for (const item of items) {
      if ("key" in item) take(item.key);
      else {
        groups.push(item.commonPrefix);
        [lastKey, lastVersionId] = [item.commonPrefix, undefined];
      }
    }
    if (!truncated) return { versions, groups, truncated: cut, lastKey, lastVersionId };
    after = last;
  }
  return { versions, groups, truncated: maxKeys > 0, lastKey, lastVersionId };

  function take(key: string, afterVersionId?: string): void {
    const all = store.find(bucket.name, key)?.versions ?? [];
    const from = afterVersionId === undefined ? 0 : all.findIndex((v) => v.versionId === afterVersionId) + 1;
    for (const [index, version] of all.entries()) {
      if (index < from) continue;
      if (left() === 0) {
        cut = true;
        return;
      }
      versions.push({ key, version, isLatest: index === 0 });
      [lastKey, lastVersionId] = [key, version.versionId];
    }
  }
}

function ownerOf({ bucket }: BucketCall) {
  return { ID: canonicalId(bucket.accountId), DisplayName: bucket.accountId };
}

/** S3 names owners by a 64-digit id of its own. */
export function canonicalId(accountId: string): string {
  return Buffer.from(accountId.padEnd(32, "0")).toString("hex");
}

function encoded({ EncodingType }: ListInput, text: string): string {
  if (EncodingType !== "url") return text;
  return encodeURIComponent(text)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function encodeToken(last: string): string {
  return Buffer.from(`1/${last}`).toString("base64");
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, "base64").toString();
  if (!text.startsWith("1/"))
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token");
  return text.slice(2);
}
