import type { Call } from "../../wire/operation-handler.ts";
import { findReadable } from "./get-object.ts";
import { shownVersionId } from "./new-version.ts";
import type { ObjectVersion } from "./object-record.ts";
import { openBucket, type BucketCall, type BucketInput } from "./s3-access.ts";

export interface VersionInput extends BucketInput {
  readonly Key: string | undefined;
  readonly VersionId?: string | undefined;
}

export interface OpenVersion {
  readonly at: BucketCall;
  readonly key: string;
  readonly version: ObjectVersion;
}

export async function openVersion(input: VersionInput, call: Call, action: string): Promise<OpenVersion> {
  const at = await openBucket(input, call);
  return { at, key: input.Key ?? "", version: findReadable(at, input, action) };
}

export async function replaceVersion(
  { at, key, version }: OpenVersion,
  changed: ObjectVersion,
): Promise<object> {
  const entry = at.store.find(at.bucket.name, key);
  const versions = (entry?.versions ?? []).map((kept) =>
    kept.versionId === version.versionId ? changed : kept,
  );
  await at.store.apply(at.bucket.name, key, { versions, removed: [] });
  return { VersionId: shownVersionId(at.bucket, version.versionId) };
}
