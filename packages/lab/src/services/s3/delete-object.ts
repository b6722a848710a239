import type { DeleteObjectCommandInput, DeleteObjectsCommandInput } from "@aws-sdk/client-s3";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { newVersionId, shownVersionId, wholeSecond } from "./new-version.ts";
import type { ObjectEntry, ObjectVersion } from "./object-record.ts";
import { addVersion, currentVersion, removeVersion } from "./object-versions.ts";
import { onObject, openBucket, type BucketCall } from "./s3-access.ts";
import { accessDenied, noSuchKey, preconditionFailed } from "./s3-error.ts";
import { matchesEtag } from "./write-conditions.ts";

export async function deleteObject(input: DeleteObjectCommandInput, call: Call) {
  const at = await openBucket(input, call);
  return deleteOne(at, {
    key: input.Key ?? "",
    versionId: input.VersionId,
    ifMatch: input.IfMatch,
    bypassGovernance: input.BypassGovernanceRetention ?? false,
  });
}

export async function deleteObjects(input: DeleteObjectsCommandInput, call: Call) {
  const at = await openBucket(input, call);
  const objects = input.Delete?.Objects ?? [];
  if (objects.length === 0 || objects.length > 1000) {
    throw new AwsError(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  const Deleted: object[] = [];
  const Errors: object[] = [];
  for (const { Key = "", VersionId, ETag } of objects) {
    const deletion = {
      key: Key,
      versionId: VersionId,
      ifMatch: ETag,
      bypassGovernance: input.BypassGovernanceRetention ?? false,
    };
    const target = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
    try {
      const { VersionId: made, DeleteMarker } = await deleteOne(at, deletion);
      const marker = DeleteMarker ? { DeleteMarker, DeleteMarkerVersionId: made } : {};
      if (!input.Delete?.Quiet) Deleted.push({ ...target, ...marker });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ ...target, Code: error.code, Message: error.message });
    }
  }
  return { Deleted, Errors };
}

interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly bypassGovernance: boolean;
}

interface DeleteAnswer {
  readonly VersionId?: string | undefined;
  readonly DeleteMarker?: boolean;
}

async function deleteOne(at: BucketCall, deletion: Deletion): Promise<DeleteAnswer> {
  const { call, store, bucket } = at;
  const { key, versionId, ifMatch } = deletion;
  const entry = store.find(bucket.name, key);
  const version =
    versionId === undefined ? currentVersion(entry) : entry?.versions.find((v) => v.versionId === versionId);
  call.authorize(
    onObject(at, {
      action: versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
      key,
      version,
    }),
  );
  if (ifMatch !== undefined) {
    if (version === undefined) throw noSuchKey(key);
    if (!matchesEtag(ifMatch, version.etag)) throw preconditionFailed("If-Match");
  }
  if (versionId !== undefined) return deleteVersion(at, deletion, { entry, version });
  if (bucket.versioning !== undefined) return addDeleteMarker(at, key);
  if (entry === undefined) return {};
  store.disturbWrites(bucket.name, key);
  await store.apply(bucket.name, key, removeVersion(entry, "null"));
  return {};
}

interface Found {
  readonly entry: ObjectEntry | undefined;
  readonly version: ObjectVersion | undefined;
}

async function deleteVersion(
  at: BucketCall,
  deletion: Deletion,
  { entry, version }: Found,
): Promise<DeleteAnswer> {
  const { store, bucket } = at;
  if (entry === undefined || version === undefined) return { VersionId: deletion.versionId };
  checkLock(at, version, deletion);
  store.disturbWrites(bucket.name, deletion.key);
  await store.apply(bucket.name, deletion.key, removeVersion(entry, version.versionId));
  return { VersionId: version.versionId, ...(version.deleteMarker ? { DeleteMarker: true } : {}) };
}

async function addDeleteMarker(at: BucketCall, key: string): Promise<DeleteAnswer> {
  const { store, bucket, call } = at;
  const marker: ObjectVersion = {
    versionId: newVersionId(bucket),
    deleteMarker: true,
    etag: "",
    sizeBytes: 0,
    modifiedMs: wholeSecond(call.lab.clock.now()),
    segments: [],
    headers: {},
    metadata: {},
    tags: {},
    encryption: { algorithm: "AES256" },
    storageClass: "STANDARD",
  };
  store.disturbWrites(bucket.name, key);
  await store.apply(bucket.name, key, addVersion(store.find(bucket.name, key), marker));
  return { DeleteMarker: true, VersionId: shownVersionId(bucket, marker.versionId) };
}

/** A held or retained version stays, whoever asks; governance yields to those who may bypass it and say so. */
function checkLock(at: BucketCall, version: ObjectVersion, { key, bypassGovernance }: Deletion): void {
  const { retention, legalHold } = version;
  const locked = accessDenied("Access Denied because object protected by object lock.");
  if (legalHold) throw locked;
  if (retention === undefined || retention.untilMs <= at.call.lab.clock.now()) return;
  if (retention.mode === "COMPLIANCE" || !bypassGovernance) throw locked;
  at.call.authorize(onObject(at, { action: "s3:BypassGovernanceRetention", key, version }));
}
